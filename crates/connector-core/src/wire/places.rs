//! The places for open requests to one host, shared fairly by the connections that use it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The places for open requests to one host.
///
/// Connections take turns: one that has thousands of requests waiting does not keep another's from their place.
pub(super) struct HostPlaces(Mutex<PlaceList>);

struct PlaceList {
    free: usize,
    /// The requests that wait, by their connection.
    waiting: HashMap<u64, VecDeque<oneshot::Sender<HeldPlace>>>,
    /// The connections that have requests waiting, in the order of their turns.
    turns: VecDeque<u64>,
}

/// A place for one open request. Its drop gives it to the next.
pub(crate) struct HeldPlace(Option<Arc<HostPlaces>>);

impl HostPlaces {
    pub(super) fn new(number: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(PlaceList { free: number, waiting: HashMap::new(), turns: VecDeque::new() })))
    }

    /// Waits for a place for a request of a connection.
    pub(super) async fn take(self: Arc<Self>, connection: u64) -> HeldPlace {
        let given = {
            let mut places = self.lock();
            if places.free > 0 {
                places.free -= 1;
                drop(places);
                return HeldPlace(Some(self));
            }
            let (sender, given) = oneshot::channel();
            places.add(connection, sender);
            given
        };
        given.await.expect("a request that waits is never forgotten")
    }

    fn lock(&self) -> MutexGuard<'_, PlaceList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlaceList {
    fn add(&mut self, connection: u64, sender: oneshot::Sender<HeldPlace>) {
        let queue = self.waiting.entry(connection).or_default();
        if queue.is_empty() {
            self.turns.push_back(connection);
        }
        queue.push_back(sender);
    }

    /// Removes the request that is next: the first one of the connection whose turn it is.
    fn pop(&mut self) -> Option<oneshot::Sender<HeldPlace>> {
        let connection = self.turns.pop_front()?;
        let queue = self.waiting.get_mut(&connection)?;
        let sender = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&connection);
        } else {
            self.turns.push_back(connection);
        }
        sender
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        let Some(mut host) = self.0.take() else { return };
        loop {
            let next = {
                let mut places = host.lock();
                let next = places.pop();
                places.free += usize::from(next.is_none());
                next
            };
            let Some(next) = next else { return };
            match next.send(HeldPlace(Some(host))) {
                Ok(()) => return,
                // Its caller has left.
                Err(mut place) => match place.0.take() {
                    Some(back) => host = back,
                    None => return,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Waiting = Pin<Box<dyn Future<Output = HeldPlace>>>;

    fn poll(waiting: &mut Waiting) -> Option<HeldPlace> {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => Some(place),
            Poll::Pending => None,
        }
    }

    #[test]
    fn connections_take_turns() {
        let host = HostPlaces::new(1);
        let mut held = pin!(Arc::clone(&host).take(0)).poll(&mut Context::from_waker(Waker::noop()));
        let mut queue: Vec<(u64, Waiting)> = Vec::new();
        for connection in [1, 1, 1, 1, 2, 3, 3] {
            let mut waiting: Waiting = Box::pin(Arc::clone(&host).take(connection));
            assert!(poll(&mut waiting).is_none());
            queue.push((connection, waiting));
        }
        let mut order = Vec::new();
        while !queue.is_empty() {
            drop(std::mem::replace(&mut held, Poll::Pending));
            let at = queue.iter_mut().position(|(_, waiting)| match poll(waiting) {
                Some(place) => {
                    held = Poll::Ready(place);
                    true
                }
                None => false,
            });
            order.push(queue.remove(at.expect("a place that is free is given to the next")).0);
        }
        assert_eq!(order, [1, 2, 3, 1, 3, 1, 1]);
    }

    #[test]
    fn callers_that_left_are_passed_over_and_no_place_is_lost() {
        let host = HostPlaces::new(2);
        let take = |connection| -> Waiting { Box::pin(Arc::clone(&host).take(connection)) };
        let held = [take(1), take(1)].map(|mut waiting| poll(&mut waiting).expect("it is free"));
        let (mut left, mut given, mut last) = (take(1), take(1), take(2));
        for waiting in [&mut left, &mut given, &mut last] {
            assert!(poll(waiting).is_none());
        }
        drop(left);
        drop(held);
        // A place that was given to a caller who leaves before it looks is free again.
        drop(given);
        let place = poll(&mut last).expect("it is its turn");
        drop(place);
        assert_eq!(host.lock().free, 2);
    }
}
