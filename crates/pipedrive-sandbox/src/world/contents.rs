//! The contents of a sandbox: each company's records, and the grants to apps, in a versioned form.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::demo::{DEMOS, build_company};
use crate::engine::state::State;
use crate::value::open_error::OpenError;
use crate::world::grants::Grants;

/// The version of the form. Version 1 was a single company without grants, which is now an item of `companies`.
const VERSION: u32 = 2;

/// The demo companies, each built once in a process. Sandboxes share their rows until they change them.
static BUILT: [OnceLock<Arc<State>>; DEMOS.len()] = [const { OnceLock::new() }; DEMOS.len()];

/// All companies and grants of a sandbox. A clone is cheap, as with a [`State`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    version: u32,
    companies: Vec<Arc<State>>,
    grants: Arc<Grants>,
}

impl World {
    pub(crate) fn build_demo(companies: usize) -> Self {
        let mut world = Self::new(Vec::new());
        world.add_missing(companies);
        world
    }

    fn new(companies: Vec<Arc<State>>) -> Self {
        Self { version: VERSION, companies, grants: Arc::default() }
    }

    /// Adds those of the first `companies` demo companies that are missing, and tells whether there were any.
    pub(crate) fn add_missing(&mut self, companies: usize) -> bool {
        let before = self.companies.len();
        for (demo, built) in DEMOS.iter().zip(&BUILT).take(companies) {
            if self.company(demo.id).is_none() {
                self.companies.push(Arc::clone(built.get_or_init(|| Arc::new(build_company(demo)))));
            }
        }
        self.companies.len() > before
    }

    pub(crate) fn companies(&self) -> impl Iterator<Item = &State> {
        self.companies.iter().map(Arc::as_ref)
    }

    pub(crate) fn company(&self, id: u64) -> Option<&State> {
        self.companies().find(|state| state.company() == id)
    }

    pub(crate) fn company_mut(&mut self, id: u64) -> Option<&mut State> {
        self.companies.iter_mut().find(|state| state.company() == id).map(Arc::make_mut)
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn grants_mut(&mut self) -> &mut Grants {
        Arc::make_mut(&mut self.grants)
    }

    pub(crate) fn load(path: &Path) -> Result<Self, OpenError> {
        let bytes = fs::read(path).map_err(|e| OpenError::unreadable(path, &e))?;
        let corrupt = |e: serde_json::Error| OpenError::Corrupt { path: path.to_owned(), reason: e.to_string() };
        // Reads the version first, as a newer file may have another shape.
        match serde_json::from_slice(&bytes).map_err(corrupt)? {
            VersionOnly { version } if version > VERSION => Err(OpenError::Newer { path: path.to_owned(), version }),
            VersionOnly { version: VERSION } => serde_json::from_slice(&bytes).map_err(corrupt),
            VersionOnly { .. } => serde_json::from_slice(&bytes).map(|state| Self::new(vec![state])).map_err(corrupt),
        }
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}
