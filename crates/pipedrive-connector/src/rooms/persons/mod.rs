//! Persons: the contacts of an account.

mod old;
mod person;

pub(super) use old::{OldPersonParts, PersonInShort};
pub(crate) use person::{GetPerson, GetPersons, SearchPersons, UpdatePerson};
