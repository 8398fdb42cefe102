//! Persons: the people that one deals with.

mod old;
mod person;

pub(super) use old::OldPersonParts;
pub(crate) use person::{GetPersons, SearchPersons, UpdatePerson};
