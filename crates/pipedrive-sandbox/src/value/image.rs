//! The type and the size of an image, read from its first bytes.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) ending: &'static str,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

impl Image {
    /// Reads a PNG, GIF or JPEG. Returns none for other bytes, and for an image that ends before its size.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (ending, (width, height)) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            ("png", (read_number(bytes, 16, 4)?, read_number(bytes, 20, 4)?))
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            // GIF alone is little-endian.
            let side = |at| Some(read_number(bytes, at + 1, 1)? << 8 | read_number(bytes, at, 1)?);
            ("gif", (side(6)?, side(8)?))
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            ("jpg", read_jpeg_size(bytes)?)
        } else {
            return None;
        };
        Some(Self { ending, width, height })
    }
}

/// Skips segments up to the one that begins a frame, and reads the size in it.
fn read_jpeg_size(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut at = 2;
    loop {
        let (mark, kind) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        match kind {
            _ if mark != 0xff => return None,
            0xc4 | 0xc8 | 0xcc => {}
            0xc0..=0xcf => return Some((read_number(bytes, at + 7, 2)?, read_number(bytes, at + 5, 2)?)),
            _ => {}
        }
        at += 2 + usize::try_from(read_number(bytes, at + 2, 2)?).ok()?;
    }
}

fn read_number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    Some(bytes.get(at..at + length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
