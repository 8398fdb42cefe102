//! The rate limit of each API key: a bucket of tokens that fills with time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets by key. A key may use the tokens of a whole second at once.
#[derive(Debug)]
pub(crate) struct RateLimit<K> {
    per_second: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// The number of buckets at which full ones are removed.
const CLEANUP_SIZE: usize = 1024;

impl<K: Eq + Hash> RateLimit<K> {
    /// Allows this many calls per second; 0 means no limit.
    pub(crate) fn per_second(calls: u32) -> Self {
        Self { per_second: f64::from(calls), buckets: Mutex::default() }
    }

    /// Takes a token for one call, or returns the time until there is one.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        if self.per_second == 0.0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CLEANUP_SIZE {
            buckets.retain(|_, bucket| self.fill(*bucket, now) < self.per_second);
        }
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: self.per_second, at: now });
        let tokens = self.fill(*bucket, now);
        *bucket = Bucket { tokens, at: now };
        if tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - tokens) / self.per_second))
    }

    fn fill(&self, bucket: Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        passed.mul_add(self.per_second, bucket.tokens).min(self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_the_calls_of_each_key_per_second() {
        let (limit, start) = (RateLimit::per_second(10), Instant::now());
        assert_eq!((0..10).filter(|_| limit.take("a", start).is_ok()).count(), 10);
        assert_eq!(limit.take("a", start), Err(Duration::from_millis(100)));
        assert!(limit.take("b", start).is_ok(), "another key has its own bucket");
        assert!(
            limit.take("a", start + Duration::from_millis(101)).is_ok() && limit.take("a", start + Duration::from_millis(102)).is_err()
        );
        let later = start + Duration::from_mins(1);
        assert_eq!((0..20).filter(|_| limit.take("a", later).is_ok()).count(), 10, "unused tokens of earlier seconds do not add up");
        assert!(RateLimit::per_second(0).take("a", start).is_ok(), "0 means no limit");
    }

    #[test]
    fn forgets_keys_that_called_once() {
        let (limit, start) = (RateLimit::per_second(1), Instant::now());
        for key in 0..CLEANUP_SIZE * 3 {
            let now = start + Duration::from_secs(key as u64);
            limit.take(key, now).expect("each key comes once");
        }
        assert!(limit.buckets.lock().expect("nobody panics").len() <= CLEANUP_SIZE);
    }
}
