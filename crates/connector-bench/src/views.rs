//! Measures the views of a list, flat and by name: what each adds to the record view, and its bytes in a second.

use std::hint::black_box;

use connector_core::run::Invocation;

use crate::bodies;
use crate::calls::Setup;
use crate::measure::{Failure, Rounds, Series, Watch, describe_goal};

/// The views, each with the options that ask for it.
const VIEWS: [(&str, &str); 4] = [
    ("flat", r#""view":"flat""#),
    ("names of fields", r#""fields":"names""#),
    ("names beside codes", r#""fields":"both""#),
    ("flat, with names", r#""view":"flat","fields":"names""#),
];

pub(crate) fn compare(rounds: Rounds) -> Result<(), Failure> {
    const CALLS: usize = 50;
    let setup = Setup::new()?;
    let invoke = async |options: &str| {
        let text = format!(r#"{{"action":"getDeals","input":{{"limit":100}},"options":{{{options}}}}}"#);
        let watch = Watch::start();
        for _ in 0..CALLS {
            let invocation = Invocation::from_json(text.as_bytes()).map_err(|refused| format!("{refused:?}"))?;
            let outcome = setup.runtime.invoke(invocation).await;
            if let Some(error) = outcome.error() {
                return Err::<f64, Failure>(error.to_string().into());
            }
            black_box(outcome.to_json());
        }
        Ok(watch.time_per_call(CALLS).cpu)
    };
    setup.one_thread.block_on(async {
        let (mut record, mut viewed) = (Vec::new(), VIEWS.map(|_| Vec::new()));
        // The definitions are read once, before anything is measured.
        invoke(r#""fields":"names""#).await?;
        for _ in 0..rounds.calls {
            record.push(invoke("").await?);
            for ((_, options), taken) in VIEWS.iter().zip(&mut viewed) {
                taken.push(invoke(options).await?);
            }
        }
        let bytes = f64::from(u32::try_from(bodies::list().len())?);
        let plain = Series::new(record.iter().copied());
        println!(
            "{:<24} {:>9} {:>9} {:>10} {:>13} {:>9}   goal",
            "view of a list of 100", "record µs", "view µs", "added µs", "spread", "MB/s"
        );
        for ((name, _), taken) in VIEWS.iter().zip(viewed) {
            let added = Series::new(taken.iter().zip(&record).map(|(view, record)| view - record));
            // Bytes by µs are megabytes a second.
            let speed = bytes / added.median();
            println!(
                "{name:<24} {:>9.1} {:>9.1} {:>10.1} {:>13} {speed:>9.0}   ≥ 200 MB/s: {}",
                plain.median(),
                Series::new(taken).median(),
                added.median(),
                added.spread(1),
                describe_goal(speed >= 200.0)
            );
        }
        println!();
        Ok(())
    })
}
