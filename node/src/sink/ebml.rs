//! EBML elements (RFC 8794) in memory: what Matroska is made of.

/// Elements in order.
#[derive(Debug, Default)]
pub(super) struct Elements {
    bytes: Vec<u8>,
}

impl Elements {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes as they are.
    pub(super) fn binary(mut self, id: u32, data: &[u8]) -> Self {
        self.put_binary(id, &[data]);
        self
    }

    /// An unsigned number in as few bytes as it takes.
    pub(super) fn unsigned(self, id: u32, value: u64) -> Self {
        let bytes = value.to_be_bytes();
        let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
        self.binary(id, &bytes[zeros..])
    }

    /// An unsigned number in eight bytes, so that it can be written again in place.
    pub(super) fn unsigned_wide(self, id: u32, value: u64) -> Self {
        self.binary(id, &value.to_be_bytes())
    }

    pub(super) fn float(self, id: u32, value: f64) -> Self {
        self.binary(id, &value.to_be_bytes())
    }

    pub(super) fn text(self, id: u32, text: &str) -> Self {
        self.binary(id, text.as_bytes())
    }

    /// Elements within an element.
    pub(super) fn master(self, id: u32, children: Self) -> Self {
        self.binary(id, &children.bytes)
    }

    /// The elements, if any.
    pub(super) fn maybe(self, elements: Option<Self>) -> Self {
        elements.into_iter().fold(self, |mut all, more| {
            all.bytes.extend(more.bytes);
            all
        })
    }

    /// An element whose data comes in parts.
    pub(super) fn put_binary(&mut self, id: u32, parts: &[&[u8]]) {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        self.bytes.extend(id_bytes(id));
        self.bytes.extend(size_bytes(length));
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
    }
}

/// An id as it is written: its marker bit says its length.
pub(super) fn id_bytes(id: u32) -> impl Iterator<Item = u8> {
    id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0)
}

/// A size in as few bytes as it takes. All ones means unknown, so they are left out.
fn size_bytes(size: u64) -> impl Iterator<Item = u8> {
    let length = (1..8).find(|length| size < (1 << (7 * length)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * length);
    marked.to_be_bytes().into_iter().skip(8 - length)
}

/// A size in eight bytes, so that it can be written again in place; `None` is unknown.
pub(super) fn wide_size(size: Option<u64>) -> [u8; 8] {
    let most = (1 << 56) - 1;
    (size.map_or(most, |size| size.min(most - 1)) | 1 << 56).to_be_bytes()
}

/// An element of `length` bytes in all that means nothing.
pub(super) fn void(length: usize) -> Vec<u8> {
    let mut bytes = vec![0xec];
    bytes.extend(wide_size(Some(length.saturating_sub(9) as u64)));
    bytes.resize(length.max(9), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_as_few_bytes_as_they_can() {
        for (size, expected) in [
            (0, &[0x80][..]),
            (126, &[0xfe]),
            (127, &[0x40, 0x7f]),
            (0x3ffe, &[0x7f, 0xfe]),
            (0x3fff, &[0x20, 0x3f, 0xff]),
        ] {
            assert_eq!(size_bytes(size).collect::<Vec<_>>(), expected, "{size}");
        }
        assert_eq!(wide_size(None), [1, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(wide_size(Some(5)), [1, 0, 0, 0, 0, 0, 0, 5]);
    }

    #[test]
    fn elements_nest() {
        let inner = Elements::new().unsigned(0xd7, 300).text(0x86, "V_VP8");
        let bytes = Elements::new().master(0x1654_ae6b, inner).into_bytes();
        let expected = b"\x16\x54\xae\x6b\x8b\xd7\x82\x01\x2c\x86\x85V_VP8";
        assert_eq!(bytes, expected);
        assert_eq!(void(12).len(), 12);
    }
}
