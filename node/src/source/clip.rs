//! The bundled clip, made by `scripts/make-clip`.

/// Ten seconds of WebM: VP8 640x360 at 30 frames per second and stereo Opus.
pub(super) const CLIP: &[u8] = include_bytes!("../../assets/clip.webm");
