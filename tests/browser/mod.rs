//! What a person sees and presses, in a real browser: the host's pages of OAuth, and between them the vendor's own.

mod pages;
mod platform;
