//! People in Chromium: the host's pages of OAuth, the vendor's pages between them, and the documentation.

mod documentation;
mod pages;
mod platform;
