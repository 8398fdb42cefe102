//! Permits of a window that several hosts share: a pure function of what each of them holds and wants.

/// Permits that a host holds, and those that it wants beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostClaim {
    pub(crate) held: u32,
    pub(crate) wanted: u32,
}

/// Permits that a host gets, and what it is asked to give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PermitShare {
    pub(crate) held: u32,
    /// Permits of this host that others are due.
    pub(crate) wanted_by_others: u32,
    /// Number of hosts that hold or want permits, this one included.
    pub(crate) hosts: u32,
}

impl HostClaim {
    fn demand(self) -> u32 {
        self.held.saturating_add(self.wanted)
    }

    /// Counts what a host lacks of what it is due.
    fn lack(self, level: u32) -> u32 {
        self.demand().min(level).saturating_sub(self.held)
    }
}

/// Shares the permits of a window with a host that wants some, where the others hold and want theirs.
///
/// A host keeps the permits that it holds, as its requests may still count. It gets those that it wants of the free ones, but leaves the
/// others their due: an equal part each, or all that they want if that is less. All that are held are never more than the limit, unless it was lowered.
pub(crate) fn share_permits(limit: u32, host: HostClaim, others: &[HostClaim]) -> PermitShare {
    let level = find_level(limit, host, others);
    let held_by_others = others.iter().fold(0_u32, |sum, other| sum.saturating_add(other.held));
    let free = limit.saturating_sub(held_by_others);
    let lack = others.iter().fold(0_u32, |sum, other| sum.saturating_add(other.lack(level)));
    let due = free.saturating_sub(lack).max(level).max(host.held);
    let held = host.demand().min(free).min(due);
    let busy = others.iter().filter(|other| other.demand() > 0).count();
    let hosts = u32::try_from(busy).unwrap_or(u32::MAX).saturating_add(1);
    // Where there are more hosts than permits they take turns; else nobody gives back what it is due itself.
    let spare = if hosts > limit { held } else { held.saturating_sub(level) };
    PermitShare { held, wanted_by_others: lack.saturating_sub(free - held).min(spare), hosts }
}

/// Finds the number of permits that a host may hold without taking from another that wants as many.
///
/// Hosts that want less leave the rest to those that want more. It is at least one, also where there are more hosts than permits.
fn find_level(limit: u32, host: HostClaim, others: &[HostClaim]) -> u32 {
    let mut demands: Vec<u32> = others.iter().chain([&host]).map(|claim| claim.demand()).filter(|demand| *demand > 0).collect();
    demands.sort_unstable();
    let mut left = limit;
    let mut hosts = u32::try_from(demands.len()).unwrap_or(u32::MAX);
    for demand in demands {
        let equal = left / hosts;
        if demand > equal {
            return equal.max(1);
        }
        left -= demand;
        hosts -= 1;
    }
    limit.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::random;

    fn claim(held: u32, wanted: u32) -> HostClaim {
        HostClaim { held, wanted }
    }

    fn share(limit: u32, host: (u32, u32), others: &[(u32, u32)]) -> (u32, u32, u32) {
        let others: Vec<HostClaim> = others.iter().map(|(held, wanted)| claim(*held, *wanted)).collect();
        let share = share_permits(limit, claim(host.0, host.1), &others);
        (share.held, share.wanted_by_others, share.hosts)
    }

    #[test]
    fn host_alone_gets_all_that_it_wants() {
        assert_eq!(share(24, (0, 5), &[]), (5, 0, 1));
        assert_eq!(share(24, (0, 64), &[]), (24, 0, 1));
        assert_eq!(share(24, (24, 40), &[]), (24, 0, 1));
        assert_eq!(share(24, (3, 0), &[]), (3, 0, 1), "what it keeps is all that it has");
    }

    #[test]
    fn hosts_that_want_more_get_an_equal_part_each() {
        assert_eq!(share(24, (0, 64), &[(0, 64)]), (12, 0, 2), "the other part waits for the other");
        assert_eq!(share(24, (0, 64), &[(24, 40)]), (0, 0, 2), "there is nothing free yet");
        assert_eq!(share(24, (24, 40), &[(0, 64)]), (24, 12, 2), "it is told what the other is due");
        assert_eq!(share(24, (20, 44), &[(0, 64)]), (20, 8, 2), "what it gave back is kept for the other");
        assert_eq!(share(24, (12, 52), &[(12, 52), (0, 64)]), (12, 4, 3), "each gives back a part");
        assert_eq!(share(24, (12, 52), &[(0, 64)]), (12, 0, 2));
        assert_eq!(share(25, (0, 64), &[(12, 52)]), (13, 0, 2), "the odd one goes to whoever asks");
        assert_eq!(share(24, (0, 100), &[(0, 100), (0, 1)]), (12, 0, 3), "who wants one leaves the rest to the others");
        assert_eq!(share(24, (0, 100), &[(12, 88), (0, 1)]), (11, 0, 3));
    }

    #[test]
    fn idle_hosts_leave_all_to_others_and_get_theirs_when_they_ask() {
        assert_eq!(share(24, (10, 54), &[(0, 0), (0, 0)]), (24, 0, 1));
        assert_eq!(share(24, (24, 40), &[(0, 1)]), (24, 1, 2), "one is asked back for who wants one");
        assert_eq!(share(24, (23, 41), &[(0, 1)]), (23, 0, 2), "what was given back is kept for it");
        assert_eq!(share(24, (0, 1), &[(23, 41)]), (1, 0, 2));
    }

    #[test]
    fn more_hosts_than_permits_take_turns() {
        let others = [(1, 9), (1, 9), (0, 9)];
        assert_eq!(share(2, (0, 9), &others), (0, 0, 4));
        assert_eq!(share(2, (1, 9), &others[1..]), (1, 1, 3), "a permit is asked back for the next");
        assert_eq!(share(2, (0, 9), &others[1..]), (1, 1, 3));
    }

    #[test]
    fn lowered_limit_takes_effect_as_hosts_settle() {
        assert_eq!(share(10, (12, 8), &[(12, 8)]), (0, 0, 2), "the other alone holds more than there is");
        assert_eq!(share(10, (12, 8), &[(0, 20)]), (10, 5, 2), "it is asked for what the other is due");
    }

    #[test]
    fn hosts_that_settle_in_any_order_never_hold_more_than_there_is() {
        let mut seed = u64::from_le_bytes(random::hash("permits").as_bytes()[..8].try_into().expect("eight bytes"));
        let mut draw = |below: u32| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(seed >> 33).expect("31 bits") % below
        };
        for _ in 0..300 {
            let limit = 1 + draw(40);
            let mut hosts = vec![HostClaim::default(); 1 + draw(6) as usize];
            for _ in 0..60 {
                let at = draw(u32::try_from(hosts.len()).expect("few")) as usize;
                let mut host = hosts.swap_remove(at);
                // Any part of what it held is out of the window, and it wants anything.
                host = claim(draw(host.held + 1), draw(60));
                let share = share_permits(limit, host, &hosts);
                assert!(share.held >= host.held && share.held <= host.demand(), "{limit} {host:?} {hosts:?} {share:?}");
                hosts.push(claim(share.held, host.demand() - share.held));
                let held: u32 = hosts.iter().map(|host| host.held).sum();
                assert!(held <= limit, "{limit}: {hosts:?}");
            }
            // All want more than there is, and give back what others are due: each ends with an equal part.
            hosts.iter_mut().for_each(|host| host.wanted = 100);
            for _ in 0..4 {
                for _ in 0..hosts.len() {
                    let host = hosts.remove(0);
                    let told = share_permits(limit, host, &hosts);
                    let kept = claim(told.held - told.wanted_by_others.min(told.held), 100);
                    hosts.push(claim(share_permits(limit, kept, &hosts).held, 100));
                }
            }
            let equal = limit / u32::try_from(hosts.len()).expect("few");
            assert!(hosts.iter().all(|host| host.held >= equal), "{limit}: {hosts:?}");
        }
    }
}
