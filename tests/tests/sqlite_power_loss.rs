//! `SQLite` on the simulated disk: the simulation takes what a power failure may take and nothing that was synced.

use reqlog_tests::simdisk::{Fault, Loss, SimDisk, Syncs};
use reqlog_tests::vfs;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;

/// Transactions that commit so many rows of so many bytes; row keys go on from the last one.
const TRANSACTIONS: [(i64, usize); 8] =
    [(1, 10), (3, 2000), (1, 9000), (20, 100), (2, 5000), (1, 1), (7, 700), (1, 30)];

fn open(disk: &SimDisk, synchronous: &str) -> rusqlite::Result<Connection> {
    let path = disk.root().join("catalog.sqlite");
    let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), vfs::register())?;
    // few pages of log, so that the workload goes through checkpoints and restarts of the log
    connection.execute_batch(&format!(
        "pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = {synchronous};
         pragma wal_autocheckpoint = 8;
         create table if not exists record (seq integer primary key, batch, body)",
    ))?;
    Ok(connection)
}

/// Commits the transactions and tells how many were acknowledged before something failed.
fn work(disk: &SimDisk, synchronous: &str) -> usize {
    let mut acknowledged = 0;
    let mut connection = None;
    for (number, (rows, size)) in TRANSACTIONS.into_iter().enumerate() {
        // a restart in the middle
        if number == TRANSACTIONS.len() / 2 {
            connection = None;
        }
        let commit = |connection: &mut Option<Connection>| -> rusqlite::Result<()> {
            if connection.is_none() {
                *connection = Some(open(disk, synchronous)?);
            }
            let transaction = connection.as_mut().expect("just opened").transaction()?;
            for _ in 0..rows {
                let body = vec![number as u8; size];
                transaction.execute("insert into record (batch, body) values (?1, ?2)", (number as i64, body))?;
            }
            transaction.commit()
        };
        if commit(&mut connection).is_err() {
            return acknowledged;
        }
        acknowledged += 1;
    }
    acknowledged
}

/// What is wrong with the database, given how many transactions were acknowledged.
fn check(disk: &SimDisk, acknowledged: usize) -> Result<(), String> {
    let say = |error: rusqlite::Error| error.to_string();
    let connection = open(disk, "full").map_err(say)?;
    let integrity: String = connection.query_row("pragma integrity_check", [], |row| row.get(0)).map_err(say)?;
    if integrity != "ok" {
        return Err(integrity);
    }
    let mut found = BTreeMap::new();
    let mut rows = connection.prepare("select batch, body from record order by seq").map_err(say)?;
    let rows =
        rows.query_map([], |row| Ok((row.get::<_, i64>(0)? as usize, row.get::<_, Vec<u8>>(1)?))).map_err(say)?;
    for row in rows {
        let (number, body) = row.map_err(say)?;
        if body != vec![number as u8; TRANSACTIONS[number].1] {
            return Err(format!("a body of transaction {number} is damaged"));
        }
        *found.entry(number).or_insert(0) += 1;
    }
    for (number, (rows, _)) in TRANSACTIONS.into_iter().enumerate() {
        match found.get(&number).copied().unwrap_or(0) {
            n if n == rows => {}
            0 if number >= acknowledged => {}
            n => return Err(format!("{n} of {rows} rows of transaction {number}, {acknowledged} acknowledged")),
        }
    }
    Ok(())
}

fn losses(step: u64) -> impl Iterator<Item = Loss> {
    let torn = [(0, 512), (1, 512), (0, 4096)].map(|(n, sector)| Loss::Torn { seed: step * 2 + n, sector });
    std::iter::once(Loss::Unsynced).chain(torn)
}

fn steps_of_the_whole_workload() -> u64 {
    let disk = SimDisk::new();
    assert_eq!(work(&disk, "full"), TRANSACTIONS.len());
    check(&disk.restart(Loss::Unsynced), TRANSACTIONS.len()).unwrap();
    disk.steps()
}

#[test]
fn a_committed_transaction_survives_power_loss_at_every_step() {
    let steps = steps_of_the_whole_workload();
    assert!(steps > 100, "only {steps} steps");
    for step in 1..=steps {
        let disk = SimDisk::new();
        disk.fail_at(step);
        let acknowledged = work(&disk, "full");
        for loss in losses(step) {
            if let Err(wrong) = check(&disk.restart(loss), acknowledged) {
                panic!("power lost at step {step} of {steps}, {loss:?}: {wrong}");
            }
        }
    }
}

#[test]
fn a_fault_of_one_step_loses_no_committed_transaction() {
    for step in 1..=steps_of_the_whole_workload() {
        for fault in [Fault::Undone, Fault::Done] {
            let disk = SimDisk::new();
            disk.fault_at(step, fault);
            let acknowledged = work(&disk, "full");
            if let Err(wrong) = check(&disk.restart(Loss::Unsynced), acknowledged) {
                panic!("step {step} failed, {fault:?}: {wrong}");
            }
        }
    }
}

#[test]
fn loss_is_seen_where_nothing_is_synced() {
    for (synchronous, syncs) in [("off", Syncs::Kept), ("full", Syncs::Ignored)] {
        let mut lost = 0;
        for step in 1..=steps_of_the_whole_workload() {
            let disk = SimDisk::new();
            disk.set_syncs(syncs);
            disk.fail_at(step);
            let acknowledged = work(&disk, synchronous);
            lost += losses(step).filter(|loss| check(&disk.restart(*loss), acknowledged).is_err()).count();
        }
        assert!(lost > 20, "synchronous = {synchronous}, {syncs:?}: only {lost} losses seen");
    }
}

#[test]
fn a_second_connection_is_kept_out() {
    let disk = SimDisk::new();
    let first = open(&disk, "full").unwrap();
    first.execute("insert into record (batch, body) values (0, '')", []).unwrap();
    let refused = open(&disk, "full").unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    drop(first);
    open(&disk, "full").unwrap();
}
