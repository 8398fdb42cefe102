//! The pages of OAuth, in a browser without scripts.

mod installs;
mod links;
