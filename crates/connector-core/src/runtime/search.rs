//! Entries of the catalogue found by the words of a caller.

use crate::declare::connector::Connector;
use crate::exchange::wanted::{Wanted, split_words};
use crate::runtime::catalogue::{Catalogue, Entry};
use crate::value::error::{Error, ErrorKind};
use crate::value::wording::{find_nearest, quote};

/// The greatest number of keys that an error suggests.
const MOST_NEAREST: usize = 3;

impl Catalogue {
    /// Searches keys, labels and descriptions for the words of a text or what they mean, the nearest first.
    pub fn search(&self, text: &str) -> Vec<&Entry> {
        let wanted = Wanted::read(text, self.connectors());
        let measure = |entry: &Entry| {
            let texts = [entry.key().to_owned(), entry.label().to_owned(), format!("{} {}", entry.label(), entry.description())];
            let mut found = texts.iter().enumerate();
            found.find_map(|(at, text)| wanted.measure(&split_words(text)).map(|distance| (at, distance)))
        };
        let mut found: Vec<_> = self.entries().iter().filter_map(|entry| Some((measure(entry)?, entry))).collect();
        found.sort_by_key(|(distance, _)| *distance);
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Builds the error for a key that is not there, with the nearest ones: of the connector, if one was named.
    pub(super) fn explain_unknown(&self, connector: Option<&str>, key: &str) -> Error {
        let entries = self.entries().iter().filter(move |entry| connector.is_none_or(|named| entry.connector().key == named));
        let connectors: Vec<&Connector> =
            self.connectors().iter().copied().filter(|known| connector.is_none_or(|named| known.key == named)).collect();
        let wanted = Wanted::read(key, &connectors);
        let measured = entries.clone().filter_map(|entry| Some((wanted.measure(&split_words(entry.key()))?, entry.key())));
        let mut meant: Vec<_> = measured.collect();
        meant.sort_unstable();
        let least = meant.first().map_or(0, |((lacking, ..), _)| *lacking);
        let mut near: Vec<&str> = meant.into_iter().filter(|((lacking, ..), _)| *lacking == least).map(|(_, key)| key).collect();
        let operation = connectors.iter().find_map(|connector| {
            let (method, path) = wanted.find_operation(connector).filter(|_| near.is_empty() || least > 0)?;
            Some(format!("{} can do it, by {method} {path}. ", connector.raw?.action))
        });
        if near.is_empty() {
            near = find_nearest(&wanted.to_key(), entries.map(Entry::key), MOST_NEAREST);
        }
        near.dedup();
        near.truncate(MOST_NEAREST);
        let error = Error::new(ErrorKind::UnknownAction, format!("There is no action or data source {}.", quote(key)));
        error.with_hint(match (operation, near.as_slice()) {
            (None, []) => "`connector list` shows all keys.".to_owned(),
            (operation, []) => operation.unwrap_or_default().trim_end().to_owned(),
            (operation, near) => format!("{}The nearest: {}.", operation.unwrap_or_default(), near.join(", ")),
        })
    }
}
