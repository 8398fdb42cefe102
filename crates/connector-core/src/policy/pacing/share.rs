//! The part of a limit that one host takes for itself.

use crate::embed::meter::Lease;

/// The requests of one lane of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The requests that are in the window.
    pub(crate) inside: u32,
    /// The requests that wait.
    pub(crate) waiting: u32,
}

impl Demand {
    /// Checks that nothing is in the window and nothing waits.
    pub(crate) fn is_none(self) -> bool {
        self.inside == 0 && self.waiting == 0
    }

    /// Checks that requests wait for which there are no permits.
    pub(crate) fn lacks(self, held: u32) -> bool {
        self.waiting > 0 && self.inside + self.waiting > held
    }

    /// Counts the permits that a host wants beyond those it holds: for all that waits, and a few for what comes next.
    pub(crate) fn count_wanted(self, held: u32, limit: u32) -> u32 {
        if self.lacks(held) { (self.inside + self.waiting - held + limit / 8).min(limit.saturating_sub(held)) } else { 0 }
    }
}

/// Chooses the permits that a host keeps of those it holds.
///
/// It keeps what it needs. Of that it gives others what they want, down to an equal part for each host.
pub(crate) fn choose_share(last: &Lease, limit: u32, demand: Demand) -> u32 {
    let needed = demand.inside + demand.waiting;
    let equal = (limit / last.hosts.max(1)).max(1);
    let left = last.held.saturating_sub(last.wanted_by_others);
    let most = if last.wanted_by_others > 0 { left.max(equal) } else { last.held };
    needed.min(most).min(last.held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(held: u32, hosts: u32, wanted_by_others: u32, (inside, waiting): (u32, u32)) -> u32 {
        choose_share(&Lease::new(held, 24).beside(hosts, wanted_by_others), 24, Demand { inside, waiting })
    }

    #[test]
    fn host_keeps_what_it_needs_and_gives_others_an_equal_part() {
        assert_eq!(choose(24, 1, 0, (24, 100)), 24, "nobody else wants any");
        assert_eq!(choose(24, 2, 1, (24, 100)), 23, "one is wanted");
        assert_eq!(choose(24, 2, 100, (24, 100)), 12, "each gets half");
        assert_eq!(choose(24, 3, 16, (24, 100)), 8);
        assert_eq!(choose(12, 2, 100, (12, 100)), 12, "who has an equal part gives none");
        assert_eq!(choose(24, 2, 0, (3, 0)), 3, "what is not needed is free for others");
        assert_eq!(choose(24, 1, 0, (0, 0)), 0);
        assert_eq!(choose(24, 100, 1000, (24, 100)), 1, "the last permit is kept while it is needed");
    }

    #[test]
    fn host_wants_permits_for_all_that_waits_and_no_more_than_there_are() {
        let wanted = |inside, waiting, held| Demand { inside, waiting }.count_wanted(held, 24);
        assert_eq!((wanted(0, 1, 0), wanted(5, 10, 5), wanted(5, 100, 5)), (4, 13, 19));
        assert_eq!((wanted(5, 0, 5), wanted(5, 3, 10), wanted(24, 100, 24)), (0, 0, 0));
    }
}
