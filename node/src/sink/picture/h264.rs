//! H264: size from the SPS (ITU-T H.264, section 7.3.2.1.1), `avcC` from SPS and PPS.

use bytes::Bytes;

use super::unescape;
use crate::payload::Bits;

const SPS: u8 = 7;
const PPS: u8 = 8;

/// Width, height and `avcC`.
pub(super) fn describe(units: &[Bytes]) -> Option<(u32, u32, Vec<u8>)> {
    let of = |kind: u8| {
        units.iter().filter(move |unit| unit.first().is_some_and(|byte| byte & 0x1f == kind))
    };
    let (first, pps_count) = (of(SPS).next()?, of(PPS).count());
    if pps_count == 0 {
        return None;
    }
    let (width, height) = size(&unescape(first))?;
    let &[_, profile, constraints, level, ..] = &first[..] else { return None };
    // Version 1, lengths of four bytes, one SPS.
    let mut configuration = vec![1, profile, constraints, level, 0xff, 0xe1];
    let mut put = |unit: &Bytes| {
        configuration.extend((unit.len() as u16).to_be_bytes());
        configuration.extend_from_slice(unit);
    };
    put(first);
    let pps: Vec<_> = of(PPS).take(31).collect();
    let mut sets = vec![pps.len() as u8];
    for unit in pps {
        sets.extend((unit.len() as u16).to_be_bytes());
        sets.extend_from_slice(unit);
    }
    configuration.extend(sets);
    Some((width, height, configuration))
}

fn size(sps: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(sps.get(1..)?);
    let profile = bits.read(8)?;
    bits.skip(16)?;
    let _id = bits.exp_golomb()?;
    let mut chroma = 1;
    if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(&profile) {
        chroma = bits.exp_golomb()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        let _depths = (bits.exp_golomb()?, bits.exp_golomb()?);
        bits.skip(1)?;
        if bits.flag()? {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.flag()? {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    let _frame_number_bits = bits.exp_golomb()?;
    match bits.exp_golomb()? {
        0 => {
            bits.exp_golomb()?;
        }
        1 => {
            bits.skip(1)?;
            bits.exp_golomb()?;
            bits.exp_golomb()?;
            for _ in 0..bits.exp_golomb()?.min(255) {
                bits.exp_golomb()?;
            }
        }
        _ => {}
    }
    let _references = bits.exp_golomb()?;
    bits.skip(1)?;
    let columns = bits.exp_golomb()?.checked_add(1)?;
    let rows = bits.exp_golomb()?.checked_add(1)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    let fields = if frames_only { 1 } else { 2 };
    let (mut width, mut height) =
        (columns.checked_mul(16)?, rows.checked_mul(16)?.checked_mul(fields)?);
    if bits.flag()? {
        let (unit_x, unit_y) = match chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let mut crop = || bits.exp_golomb()?.checked_add(bits.exp_golomb()?);
        let (x, y) = (crop()?.checked_mul(unit_x)?, crop()?.checked_mul(unit_y * fields)?);
        width = width.checked_sub(x)?;
        height = height.checked_sub(y)?;
    }
    Some((width, height))
}

/// Section 7.3.2.1.1.1.
fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..size {
        if next != 0 {
            let code = i64::from(bits.exp_golomb()?);
            let delta = if code % 2 == 0 { -code / 2 } else { (code + 1) / 2 };
            next = (last + delta).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}
