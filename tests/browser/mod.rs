//! People in Chromium: the host's pages of OAuth, and the vendor's pages between them.

mod pages;
mod platform;
