//! Products: the goods and services that an account sells.

mod attached;
mod old;
mod product;
