//! Places for requests under way: so many in all, a share of them for one key, and some that are kept for people and for
//! the vendor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Places {
    programs: Arc<Semaphore>,
    people: Arc<Semaphore>,
    vendor: Arc<Semaphore>,
    /// How many one key may hold: another's requests must find one.
    share: usize,
    held: Mutex<HashMap<u64, usize>>,
}

/// A request's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    of_key: Option<(Arc<Places>, u64)>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self {
            programs: Arc::new(Semaphore::new(most)),
            // Anybody can ask for these, signed in or not, and holds up no program by it.
            people: Arc::new(Semaphore::new((most / 8).max(4))),
            vendor: Arc::new(Semaphore::new(4)),
            share: (most - most / 4).max(1),
            held: Mutex::default(),
        }
    }

    /// How many programs may have requests under way.
    pub(super) fn free(&self) -> usize {
        self.programs.available_permits()
    }

    pub(super) fn for_a_person(&self) -> Option<Place> {
        taken(&self.people)
    }

    pub(super) fn for_a_program(&self) -> Option<Place> {
        taken(&self.programs)
    }

    pub(super) fn for_the_vendor(&self) -> Option<Place> {
        taken(&self.vendor)
    }

    /// The place becomes a key's, where it does not hold its share already.
    pub(super) fn of_key(self: &Arc<Self>, mut place: Place, key: u64) -> Option<Place> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key).or_default();
        if *count >= self.share {
            return None;
        }
        *count += 1;
        place.of_key = Some((Arc::clone(self), key));
        Some(place)
    }
}

fn taken(places: &Arc<Semaphore>) -> Option<Place> {
    Arc::clone(places).try_acquire_owned().ok().map(|permit| Place { _permit: permit, of_key: None })
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, key)) = self.of_key.take() else { return };
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
    fn one_key_leaves_places_for_another_and_programs_for_people() {
        let places = Arc::new(Places::new(4));
        let take = |key| places.of_key(places.for_a_program()?, key);
        let held: Vec<Place> = (0..3).map(|_| take(1).expect("its share")).collect();
        assert!(take(1).is_none(), "a key has no more than its share");
        assert_eq!(places.free(), 1, "what was refused is free again");
        let other = take(2).expect("another key finds a place");
        assert!(take(3).is_none() && places.for_a_person().is_some());
        drop((held, other));
        assert_eq!((places.free(), places.held.lock().expect("nobody panics").len()), (4, 0));
        assert!(take(1).is_some());
    }
}
