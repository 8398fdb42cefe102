//! The contents of a sandbox: each company's records, and the grants to apps, in a versioned form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::ser::{Serialize, Serializer};
use serde::{Deserialize, Serialize as SerializeForm};

use crate::demo::{DEMOS, Identity, build_company, share_company};
use crate::engine::state::{State, StateChanges};
use crate::value::open_error::OpenError;
use crate::world::grants::Grants;

/// The version of the form. Version 1 was a single company without grants; version 2 had each company whole.
const VERSION: u32 = 3;

/// The demo companies, each built once in a process. Sandboxes share their rows until they change them.
static BUILT: [OnceLock<Arc<State>>; DEMOS.len()] = [const { OnceLock::new() }; DEMOS.len()];

fn get_or_build(demo: usize) -> &'static Arc<State> {
    BUILT[demo].get_or_init(|| Arc::new(build_company(&Identity::new(demo + 1))))
}

/// All companies and grants of a sandbox. A clone is cheap, as with a [`State`].
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// Records that companies share until they change them.
    bases: Vec<Arc<State>>,
    companies: BTreeMap<u64, Member>,
    grants: Arc<Grants>,
    /// The companies that a change has touched which has not ended yet.
    touched: Vec<u64>,
    /// The grants before a change that has touched them and has not ended yet.
    grants_before: Option<Arc<Grants>>,
}

/// A company, and the place of the base from which its file differs.
#[derive(Clone, Debug)]
struct Member {
    state: Arc<State>,
    base: usize,
}

impl World {
    pub(crate) fn build_demo(companies: usize) -> Self {
        let mut world = Self::new(Vec::new(), Arc::default());
        world.add_missing(companies);
        world
    }

    /// Builds a world of companies that are their own bases.
    fn new(bases: Vec<Arc<State>>, grants: Arc<Grants>) -> Self {
        let members = bases.iter().enumerate().map(|(base, state)| (state.company(), Member { state: Arc::clone(state), base }));
        Self { companies: members.collect(), bases, grants, touched: Vec::new(), grants_before: None }
    }

    /// Adds those of the first `companies` companies that are missing, and tells whether there were any.
    pub(crate) fn add_missing(&mut self, companies: usize) -> bool {
        let before = self.companies.len();
        let mut places = [None; DEMOS.len()];
        for identity in (1..=companies).map(Identity::new) {
            if self.companies.contains_key(&identity.id) {
                continue;
            }
            let records = get_or_build(identity.demo);
            let base = *places[identity.demo].get_or_insert_with(|| self.find_or_add_base(records));
            // Shares the rows of the base, which may have come from a file.
            let records = &self.bases[base];
            let state = if identity.id == records.company() { Arc::clone(records) } else { Arc::new(share_company(&identity, records)) };
            self.companies.insert(identity.id, Member { state, base });
        }
        self.companies.len() > before
    }

    fn find_or_add_base(&mut self, records: &Arc<State>) -> usize {
        let is_alike = |base: &Arc<State>| base.company() == records.company() && base.has_records_of(records);
        self.bases.iter().position(is_alike).unwrap_or_else(|| {
            self.bases.push(Arc::clone(records));
            self.bases.len() - 1
        })
    }

    pub(crate) fn companies(&self) -> impl Iterator<Item = &State> {
        self.companies.values().map(|member| member.state.as_ref())
    }

    pub(crate) fn company(&self, id: u64) -> Option<&State> {
        self.companies.get(&id).map(|member| member.state.as_ref())
    }

    pub(crate) fn company_mut(&mut self, id: u64) -> Option<&mut State> {
        let state = Arc::make_mut(&mut self.companies.get_mut(&id)?.state);
        if !self.touched.contains(&id) {
            self.touched.push(id);
            state.begin();
        }
        Some(state)
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn grants_mut(&mut self) -> &mut Grants {
        self.grants_before.get_or_insert_with(|| Arc::clone(&self.grants));
        Arc::make_mut(&mut self.grants)
    }

    /// Runs a change in place, and takes it back if it fails.
    pub(crate) fn change<T, E>(&mut self, change: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let mut attempt = Attempt { world: self, is_done: false };
        let answer = change(attempt.world)?;
        attempt.is_done = true;
        Ok(answer)
    }

    pub(crate) fn load(path: &Path) -> Result<Self, OpenError> {
        let bytes = fs::read(path).map_err(|e| OpenError::unreadable(path, &e))?;
        let corrupt = |reason: String| OpenError::Corrupt { path: path.to_owned(), reason };
        let unreadable = |e: serde_json::Error| corrupt(e.to_string());
        // Reads the version first, as a newer file may have another shape.
        match serde_json::from_slice(&bytes).map_err(unreadable)? {
            VersionOnly { version } if version > VERSION => Err(OpenError::Newer { path: path.to_owned(), version }),
            VersionOnly { version: VERSION } => {
                let stored: StoredWorld = serde_json::from_slice(&bytes).map_err(unreadable)?;
                stored.into_world().ok_or_else(|| corrupt("a company has no base".to_owned()))
            }
            VersionOnly { version: 2 } => {
                let WholeWorld { companies, grants } = serde_json::from_slice(&bytes).map_err(unreadable)?;
                Ok(Self::new(companies, grants))
            }
            VersionOnly { .. } => serde_json::from_slice(&bytes).map(|state| Self::new(vec![state], Arc::default())).map_err(unreadable),
        }
    }
}

/// A change that is taken back unless it is done.
struct Attempt<'a> {
    world: &'a mut World,
    is_done: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let grants = self.world.grants_before.take();
        for id in std::mem::take(&mut self.world.touched) {
            if let Some(member) = self.world.companies.get_mut(&id) {
                let state = Arc::make_mut(&mut member.state);
                if self.is_done { state.commit() } else { state.roll_back() }
            }
        }
        if let Some(grants) = grants.filter(|_| !self.is_done) {
            self.world.grants = grants;
        }
    }
}

impl Serialize for World {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let companies = self.companies.iter().filter_map(|(id, member)| {
            let base = self.bases.get(member.base)?;
            Some(StoredCompany { company: *id, base: member.base, changes: member.state.list_changes(base) })
        });
        let stored =
            StoredWorld { version: VERSION, bases: self.bases.clone(), companies: companies.collect(), grants: Arc::clone(&self.grants) };
        SerializeForm::serialize(&stored, serializer)
    }
}

/// The form of the file: companies as their differences from bases, so that what they share stands in it once.
#[derive(SerializeForm, Deserialize)]
struct StoredWorld<'a> {
    version: u32,
    bases: Vec<Arc<State>>,
    #[serde(borrow)]
    companies: Vec<StoredCompany<'a>>,
    grants: Arc<Grants>,
}

#[derive(SerializeForm, Deserialize)]
struct StoredCompany<'a> {
    company: u64,
    base: usize,
    #[serde(borrow)]
    changes: StateChanges<'a>,
}

impl StoredWorld<'_> {
    /// Builds the world, unless a company names a base that is not there.
    fn into_world(self) -> Option<World> {
        let mut world = World::new(Vec::new(), self.grants);
        world.bases = self.bases;
        for StoredCompany { company, base, changes } in self.companies {
            let records = world.bases.get(base)?;
            let state = if changes.is_empty() && records.company() == company {
                Arc::clone(records)
            } else {
                let mut state = records.share_with(company);
                state.apply_changes(changes);
                Arc::new(state)
            };
            world.companies.insert(company, Member { state, base });
        }
        Some(world)
    }
}

/// The form of a file of version 2.
#[derive(Deserialize)]
struct WholeWorld {
    companies: Vec<Arc<State>>,
    grants: Arc<Grants>,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}
