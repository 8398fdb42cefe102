//! Products: what an account sells, and to whom.

mod attached;
mod old;
mod product;
