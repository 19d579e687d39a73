//! AV1: size and `av1C` from the sequence header (AV1 bitstream, section 5.5; AV1-ISOBMFF, section
//! 2.3.3).

use crate::payload::Bits;

const SEQUENCE_HEADER: u8 = 1;

/// Width, height and `av1C` of a temporal unit that has a sequence header.
pub(super) fn describe(unit: &[u8]) -> Option<(u32, u32, Vec<u8>)> {
    let obu = sequence_header(unit)?;
    let header_bytes = if obu[0] & 0x04 != 0 { 2 } else { 1 };
    let size_bytes = obu[header_bytes..].iter().position(|byte| byte & 0x80 == 0)? + 1;
    let sequence = Sequence::parse(&obu[header_bytes + size_bytes..])?;
    // Marker and version 1.
    let mut configuration = vec![0x81, sequence.profile << 5 | sequence.level];
    configuration.push(sequence.tier << 7 | sequence.format);
    configuration.push(0);
    configuration.extend_from_slice(obu);
    Some((sequence.width, sequence.height, configuration))
}

/// The whole OBU. All have sizes, as our depacketiser writes them.
fn sequence_header(mut unit: &[u8]) -> Option<&[u8]> {
    while let Some(first) = unit.first() {
        let mut at = if first & 0x04 != 0 { 2 } else { 1 };
        let mut length = 0;
        for shift in 0..4 {
            let byte = *unit.get(at)?;
            at += 1;
            length |= usize::from(byte & 0x7f) << (7 * shift);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (obu, rest) = unit.split_at_checked(at + length)?;
        if first >> 3 & 0x0f == SEQUENCE_HEADER {
            return Some(obu);
        }
        unit = rest;
    }
    None
}

struct Sequence {
    profile: u8,
    level: u8,
    tier: u8,
    /// Seven bits of `av1C`: bit depth, monochrome, subsampling, sample position.
    format: u8,
    width: u32,
    height: u32,
}

impl Sequence {
    fn parse(data: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(data);
        let profile = bits.read(3)? as u8;
        let _still = bits.flag()?;
        let reduced = bits.flag()?;
        let (mut level, mut tier) = (0, 0);
        if reduced {
            level = bits.read(5)? as u8;
        } else {
            let mut decoder_model = None;
            if bits.flag()? {
                bits.skip(64)?;
                if bits.flag()? {
                    bits.exp_golomb()?;
                }
                if bits.flag()? {
                    let delay_bits = bits.read(5)? + 1;
                    bits.skip(32 + 5 + 5)?;
                    decoder_model = Some(delay_bits);
                }
            }
            let display_delay = bits.flag()?;
            for point in 0..=bits.read(5)? {
                bits.skip(12)?;
                let this_level = bits.read(5)? as u8;
                let this_tier = if this_level > 7 { bits.read(1)? as u8 } else { 0 };
                if point == 0 {
                    (level, tier) = (this_level, this_tier);
                }
                if let Some(delay_bits) = decoder_model
                    && bits.flag()?
                {
                    bits.skip(2 * delay_bits + 1)?;
                }
                if display_delay && bits.flag()? {
                    bits.skip(4)?;
                }
            }
        }
        let (width_bits, height_bits) = (bits.read(4)? + 1, bits.read(4)? + 1);
        let (width, height) = (bits.read(width_bits)? + 1, bits.read(height_bits)? + 1);
        skip_tools(&mut bits, reduced)?;
        let format = format(&mut bits, profile)?;
        Some(Self { profile, level, tier, format, width, height })
    }
}

/// From frame ids to the restoration flag.
fn skip_tools(bits: &mut Bits<'_>, reduced: bool) -> Option<()> {
    if !reduced && bits.flag()? {
        bits.skip(7)?;
    }
    bits.skip(3)?;
    if !reduced {
        bits.skip(4)?;
        let order_hint = bits.flag()?;
        if order_hint {
            bits.skip(2)?;
        }
        let choose_screen_content = bits.flag()?;
        let screen_content = if choose_screen_content { true } else { bits.flag()? };
        if screen_content && !bits.flag()? {
            bits.skip(1)?;
        }
        if order_hint {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}

/// The colour configuration (section 5.5.2) as `av1C` has it.
fn format(bits: &mut Bits<'_>, profile: u8) -> Option<u8> {
    let high = bits.flag()?;
    let twelve = profile == 2 && high && bits.flag()?;
    let monochrome = profile != 1 && bits.flag()?;
    let described = if bits.flag()? { Some(bits.read(24)?) } else { None };
    let pack = |x: bool, y: bool, position: u8| {
        u8::from(high) << 6
            | u8::from(twelve) << 5
            | u8::from(monochrome) << 4
            | u8::from(x) << 3
            | u8::from(y) << 2
            | position
    };
    if monochrome {
        return Some(pack(true, true, 0));
    }
    // sRGB with the identity matrix is 4:4:4.
    if described == Some(0x01_0d_00) {
        return Some(pack(false, false, 0));
    }
    bits.skip(1)?;
    let (x, y) = match profile {
        0 => (true, true),
        1 => (false, false),
        _ if twelve => {
            let x = bits.flag()?;
            (x, x && bits.flag()?)
        }
        _ => (true, false),
    };
    let position = if x && y { bits.read(2)? as u8 } else { 0 };
    Some(pack(x, y, position))
}
