//! The limits that several hosts share: each host leases a part of what a vendor takes from a connection.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::value::error::Error;

/// The time for which a lease holds. After that its host is taken for dead, and others share its part.
pub const PERMIT_LEASE: Duration = Duration::from_secs(10);

/// A store of limits that several hosts share.
///
/// A vendor counts the requests of a connection within a window of time, whichever host sends them. So a host leases a number of
/// permits: it may have as many requests in the window as it holds permits, and uses each again once its request has left the window. It
/// settles when it needs more, when others want some, and before its lease ends. Without a meter a host takes the whole limit for itself.
///
/// All permits of a window that are held at one time are never more than its limit. A meter that fails costs speed and nothing else: the
/// host goes on with the permits that it holds, until their lease ends.
#[async_trait]
pub trait Meter: Send + Sync {
    /// Reports what a host holds and wants of a window, and leases it what there is for it.
    ///
    /// The report is the whole truth about the host: what it held before, and reports no more, is free for others.
    async fn settle(&self, window: &MeteredWindow, report: &LeaseReport) -> Result<Lease, Error>;
}

/// The requests of one connection that a vendor counts together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MeteredWindow {
    /// The connector.
    pub connector: String,
    /// The id of the connection, or its name if that identifies it.
    pub connection: String,
    /// The host of the account.
    pub origin: String,
    /// The number of the lane, as the connector lists them.
    pub lane: usize,
}

/// The report of a host about one window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseReport {
    /// The limit of the window, if answers told it, else the smallest that the vendor documents.
    pub limit: u32,
    /// `true` if answers told the limit. What one host was told counts for all.
    pub is_told: bool,
    /// The length of the window.
    ///
    /// The permits of a host that died count until it has passed after the end of the lease.
    pub length: Duration,
    /// The permits that the host holds and keeps. Those it gives back are out of the window.
    pub held: u32,
    /// The permits that it could use beyond those.
    pub wanted: u32,
    /// The time until which the vendor blocks the connection, if it does.
    pub blocked_until: Option<SystemTime>,
    /// `true` if the host ends: it sends nothing more, and what it holds is free once a window has passed.
    pub is_last: bool,
}

/// The permits of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The permits that the host holds from now on, for [`PERMIT_LEASE`].
    pub held: u32,
    /// The limit of the whole window, as far as any host knows it.
    pub limit: u32,
    /// `true` if answers told the limit.
    pub is_told: bool,
    /// The permits that other hosts want and there are none for.
    pub wanted_by_others: u32,
    /// The number of hosts that hold or want permits, this one included.
    pub hosts: u32,
    /// The time until which the vendor blocks the connection, as far as any host knows.
    pub blocked_until: Option<SystemTime>,
}

impl MeteredWindow {
    /// Builds the key of a window.
    pub fn new(connector: impl Into<String>, connection: impl Into<String>, origin: impl Into<String>, lane: usize) -> Self {
        Self { connector: connector.into(), connection: connection.into(), origin: origin.into(), lane }
    }
}

impl LeaseReport {
    /// Builds the report of a host that holds some permits and wants more.
    pub fn new(limit: u32, length: Duration, held: u32, wanted: u32) -> Self {
        Self { limit, is_told: false, length, held, wanted, blocked_until: None, is_last: false }
    }

    /// Says that answers told the limit.
    #[must_use]
    pub fn mark_told(mut self) -> Self {
        self.is_told = true;
        self
    }

    /// Says that the host ends.
    #[must_use]
    pub fn mark_last(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// Sets the time until which the vendor blocks the connection.
    #[must_use]
    pub fn blocked_until(mut self, time: Option<SystemTime>) -> Self {
        self.blocked_until = time;
        self
    }
}

impl Lease {
    /// Builds a lease of permits, of a window with this limit.
    pub fn new(held: u32, limit: u32) -> Self {
        Self { held, limit, is_told: false, wanted_by_others: 0, hosts: 1, blocked_until: None }
    }

    /// Says that answers told the limit.
    #[must_use]
    pub fn mark_told(mut self) -> Self {
        self.is_told = true;
        self
    }

    /// Sets what other hosts want, and the number of all hosts.
    #[must_use]
    pub fn beside(mut self, hosts: u32, wanted_by_others: u32) -> Self {
        (self.hosts, self.wanted_by_others) = (hosts, wanted_by_others);
        self
    }

    /// Sets the time until which the vendor blocks the connection.
    #[must_use]
    pub fn blocked_until(mut self, time: Option<SystemTime>) -> Self {
        self.blocked_until = time;
        self
    }
}
