//! Measures the flat view of a list: what it adds to the record view, and the bytes that it reads in a second.

use std::hint::black_box;

use connector_core::run::{Invocation, View};
use serde_json::json;

use crate::bodies;
use crate::calls::Setup;
use crate::measure::{Failure, Rounds, Series, Watch, describe_goal};

pub(crate) fn compare(rounds: Rounds) -> Result<(), Failure> {
    const CALLS: usize = 50;
    let setup = Setup::new()?;
    let invoke = async |view: View| {
        let watch = Watch::start();
        for _ in 0..CALLS {
            let outcome = setup.runtime.invoke(Invocation::new("getDeals").input(json!({"limit": 100})).view(view)).await;
            if let Some(error) = outcome.error() {
                return Err::<f64, Failure>(error.to_string().into());
            }
            black_box(outcome.to_json());
        }
        Ok(watch.time_per_call(CALLS).cpu)
    };
    setup.one_thread.block_on(async {
        let (mut record, mut flat) = (Vec::new(), Vec::new());
        for _ in 0..rounds.calls {
            record.push(invoke(View::Record).await?);
            flat.push(invoke(View::Flat).await?);
        }
        let added = Series::new(flat.iter().zip(&record).map(|(flat, record)| flat - record));
        let bytes = f64::from(u32::try_from(bodies::list().len())?);
        let (record, flat) = (Series::new(record), Series::new(flat));
        // Bytes by µs are megabytes a second.
        let speed = bytes / added.median();
        println!(
            "{:<24} {:>9} {:>9} {:>10} {:>13} {:>9}   goal",
            "view of a list of 100", "record µs", "flat µs", "added µs", "spread", "MB/s"
        );
        println!(
            "{:<24} {:>9.1} {:>9.1} {:>10.1} {:>13} {speed:>9.0}   ≥ 200 MB/s: {}\n",
            "flat",
            record.median(),
            flat.median(),
            added.median(),
            added.spread(1),
            describe_goal(speed >= 200.0)
        );
        Ok(())
    })
}
