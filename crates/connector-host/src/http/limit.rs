//! How often one key may call: a bucket of tokens each, filled as time goes by.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets by key. A key may use its whole second at once.
#[derive(Debug)]
pub(super) struct Limit<K> {
    per_second: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// More buckets than these are looked through for full ones, which say nothing.
const MANY: usize = 1024;

impl<K: Eq + Hash> Limit<K> {
    /// None per second means no limit.
    pub(super) fn per_second(most: u32) -> Self {
        Self { per_second: f64::from(most), buckets: Mutex::default() }
    }

    /// Takes one call of a key's, or says how long to wait for it.
    pub(super) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        if self.per_second == 0.0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MANY {
            buckets.retain(|_, bucket| self.filled(*bucket, now) < self.per_second);
        }
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: self.per_second, at: now });
        let tokens = self.filled(*bucket, now);
        *bucket = Bucket { tokens, at: now };
        if tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - tokens) / self.per_second))
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        passed.mul_add(self.per_second, bucket.tokens).min(self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_its_number_of_calls_and_each_key_has_its_own() {
        let (limit, start) = (Limit::per_second(10), Instant::now());
        assert_eq!((0..10).filter(|_| limit.take("a", start).is_ok()).count(), 10);
        assert_eq!(limit.take("a", start), Err(Duration::from_millis(100)));
        assert!(limit.take("b", start).is_ok(), "another key is not held up");
        assert!(
            limit.take("a", start + Duration::from_millis(101)).is_ok() && limit.take("a", start + Duration::from_millis(102)).is_err()
        );
        let later = start + Duration::from_mins(1);
        assert_eq!((0..20).filter(|_| limit.take("a", later).is_ok()).count(), 10, "what is not used is not saved up");
        assert!(Limit::per_second(0).take("a", start).is_ok(), "none means no limit");
    }

    #[test]
    fn keys_that_came_once_are_forgotten() {
        let (limit, start) = (Limit::per_second(1), Instant::now());
        for key in 0..MANY * 3 {
            let now = start + Duration::from_secs(key as u64);
            limit.take(key, now).expect("each key comes once");
        }
        assert!(limit.buckets.lock().expect("nobody panics").len() <= MANY);
    }
}
