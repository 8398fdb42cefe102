//! The pages of OAuth, as a browser without scripts walks through them.

mod installs;
mod links;
