//! Places for requests in flight.
//!
//! Programs share a limit, of which one key gets a share. People and the vendor have places of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limits on requests in flight.
#[derive(Debug)]
pub(crate) struct Places {
    programs: Arc<Semaphore>,
    people: Arc<Semaphore>,
    vendor: Arc<Semaphore>,
    /// The largest number of places that one key may hold, so that other keys find some.
    share: usize,
    held: Mutex<HashMap<u64, usize>>,
}

/// The place of a request, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    key: Option<(Arc<Places>, u64)>,
}

impl Places {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            programs: Arc::new(Semaphore::new(limit)),
            // Anybody can take these, signed in or not; they must not delay programs.
            people: Arc::new(Semaphore::new((limit / 8).max(4))),
            vendor: Arc::new(Semaphore::new(4)),
            share: (limit - limit / 4).max(1),
            held: Mutex::default(),
        }
    }

    /// Counts the free places for programs.
    pub(crate) fn free(&self) -> usize {
        self.programs.available_permits()
    }

    pub(crate) fn take_for_person(&self) -> Option<Place> {
        take(&self.people)
    }

    pub(crate) fn take_for_program(&self) -> Option<Place> {
        take(&self.programs)
    }

    pub(crate) fn take_for_vendor(&self) -> Option<Place> {
        take(&self.vendor)
    }

    /// Assigns a place to a key, unless the key holds its share already.
    pub(crate) fn assign_to_key(self: &Arc<Self>, mut place: Place, key: u64) -> Option<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key).or_default();
        if *count >= self.share {
            return None;
        }
        *count += 1;
        place.key = Some((Arc::clone(self), key));
        Some(place)
    }
}

fn take(places: &Arc<Semaphore>) -> Option<Place> {
    Arc::clone(places).try_acquire_owned().ok().map(|permit| Place { _permit: permit, key: None })
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, key)) = self.key.take() else { return };
        let mut held = places.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_places_for_other_keys_and_for_people() {
        let places = Arc::new(Places::new(4));
        let take = |key| places.assign_to_key(places.take_for_program()?, key);
        let held: Vec<Place> = (0..3).map(|_| take(1).expect("its share")).collect();
        assert!(take(1).is_none(), "a key must not hold more than its share");
        assert_eq!(places.free(), 1, "a refused place must be free again");
        let other = take(2).expect("another key must find a place");
        assert!(take(3).is_none() && places.take_for_person().is_some());
        drop((held, other));
        assert_eq!((places.free(), places.held.lock().expect("nobody panics").len()), (4, 0));
        assert!(take(1).is_some());
    }
}
