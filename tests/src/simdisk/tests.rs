use super::*;

fn path(name: &str) -> &Path {
    Path::new(name)
}

fn written(disk: &SimDisk, name: &str, bytes: &[u8]) -> Ino {
    let file = disk.create(path(name)).unwrap();
    disk.write(file, 0, bytes).unwrap();
    file
}

fn found(disk: &SimDisk, name: &str) -> Option<Vec<u8>> {
    disk.open(path(name)).ok().map(|file| disk.read_all(file).unwrap())
}

#[test]
fn a_file_needs_both_its_own_sync_and_its_directorys() {
    for (sync_file, sync_directory, expected) in [
        (false, false, None),
        (true, false, None),
        (false, true, Some(b"".to_vec())),
        (true, true, Some(b"abc".to_vec())),
    ] {
        let disk = SimDisk::new();
        let file = written(&disk, "f", b"abc");
        if sync_file {
            disk.sync(file).unwrap();
        }
        if sync_directory {
            disk.sync_directory(path("")).unwrap();
        }
        assert_eq!(found(&disk, "f"), Some(b"abc".to_vec()));
        assert_eq!(found(&disk.restart(Loss::Unsynced), "f"), expected, "{sync_file} {sync_directory}");
    }
}

#[test]
fn a_renaming_is_lost_whole_until_its_directory_is_synced() {
    let disk = SimDisk::new();
    for (name, bytes) in [("old", b"1"), ("new", b"2")] {
        let file = written(&disk, name, bytes);
        disk.sync(file).unwrap();
    }
    disk.sync_directory(path("")).unwrap();
    disk.rename(path("new"), path("old")).unwrap();
    let before = disk.restart(Loss::Unsynced);
    assert_eq!((found(&before, "old"), found(&before, "new")), (Some(b"1".to_vec()), Some(b"2".to_vec())));
    let again = SimDisk::new();
    for (name, bytes) in [("old", b"1"), ("new", b"2")] {
        again.sync(written(&again, name, bytes)).unwrap();
    }
    again.rename(path("new"), path("old")).unwrap();
    again.sync_directory(path("")).unwrap();
    let after = again.restart(Loss::Unsynced);
    assert_eq!((found(&after, "old"), found(&after, "new")), (Some(b"2".to_vec()), None));
}

#[test]
fn a_renaming_between_directories_is_never_half_there() {
    for synced in ["a", "b"] {
        let disk = SimDisk::new();
        disk.create_directory(path("a")).unwrap();
        disk.create_directory(path("b")).unwrap();
        disk.sync_directory(path("")).unwrap();
        disk.sync(written(&disk, "a/f", b"x")).unwrap();
        disk.rename(path("a/f"), path("b/f")).unwrap();
        disk.sync_directory(path(synced)).unwrap();
        let after = disk.restart(Loss::Unsynced);
        assert_eq!((found(&after, "a/f"), found(&after, "b/f")), (None, Some(b"x".to_vec())), "{synced}");
    }
}

#[test]
fn what_lies_in_an_unsynced_directory_is_out_of_reach() {
    let disk = SimDisk::new();
    disk.create_directory(path("d")).unwrap();
    disk.sync(written(&disk, "d/f", b"x")).unwrap();
    disk.sync_directory(path("d")).unwrap();
    assert!(!disk.restart(Loss::Unsynced).exists(path("d/f")).unwrap());
}

#[test]
fn a_torn_write_survives_by_sectors_and_a_seed_decides() {
    let image = |seed| {
        let disk = SimDisk::new();
        let file = written(&disk, "f", &[1; 2048]);
        disk.sync(file).unwrap();
        disk.sync_directory(path("")).unwrap();
        disk.write(file, 256, &[2; 1536]).unwrap();
        found(&disk.restart(Loss::Torn { seed, sector: 512 }), "f").unwrap()
    };
    let images: Vec<_> = (0..64).map(image).collect();
    assert_eq!(images, (0..64).map(image).collect::<Vec<_>>());
    for bytes in &images {
        assert_eq!(bytes.len(), 2048);
        for range in [256..512, 512..1024, 1024..1536, 1536..1792] {
            assert!(bytes[range.clone()].iter().all(|byte| *byte == bytes[range.start]), "{range:?} is torn inside");
        }
    }
    let distinct: std::collections::HashSet<_> = images.into_iter().collect();
    assert!(distinct.len() > 8, "only {} images", distinct.len());
}

#[test]
fn directory_operations_survive_as_a_prefix() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let disk = SimDisk::new();
        for name in ["a", "b", "c"] {
            written(&disk, name, b"x");
        }
        let names = disk.restart(Loss::Torn { seed, sector: 512 }).list(path("")).unwrap();
        assert_eq!(names, ["a", "b", "c"].map(PathBuf::from)[..names.len()]);
        lengths.insert(names.len());
    }
    assert_eq!(lengths, (0..=3).collect());
}

#[test]
fn from_the_failing_step_on_nothing_works() {
    let disk = SimDisk::new();
    let file = written(&disk, "f", b"abc");
    assert_eq!(disk.steps(), 2);
    disk.fail_at(3);
    assert!(disk.is_on());
    assert!(disk.sync(file).is_err());
    assert!(!disk.is_on());
    assert!(disk.sync(file).is_err() && disk.len(file).is_err() && disk.open(path("f")).is_err());
    assert!(disk.create(path("g")).is_err() && disk.list(path("")).is_err());
    let restarted = disk.restart(Loss::Unsynced);
    assert!(restarted.is_on() && restarted.list(path("")).unwrap().is_empty());
}

#[test]
fn a_failed_sync_forgets_and_a_later_one_does_not_help() {
    for (fault, kept) in [(Fault::Undone, ""), (Fault::Done, "abc")] {
        let disk = SimDisk::new();
        let file = written(&disk, "f", b"abc");
        disk.sync_directory(path("")).unwrap();
        disk.fault_at(4, fault);
        assert!(disk.sync(file).is_err());
        disk.sync(file).unwrap();
        assert_eq!(found(&disk, "f"), Some(b"abc".to_vec()));
        assert_eq!(found(&disk.restart(Loss::Unsynced), "f"), Some(kept.into()), "{fault:?}");
    }
}

#[test]
fn a_full_disk_refuses_growth_only() {
    let disk = SimDisk::new();
    let file = written(&disk, "f", b"abc");
    disk.set_capacity(Some(4));
    assert_eq!(disk.write(file, 2, b"xyz").unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.write(file, 0, b"wxyz").unwrap();
    disk.write(file, 0, b"abcd").unwrap();
    assert_eq!(disk.free(), 0);
}

#[test]
fn a_path_under_the_root_names_the_disk_while_it_lives() {
    let disk = SimDisk::new();
    let root = disk.root();
    let (same, inside) = SimDisk::of(&root.join("d/f")).unwrap();
    assert_eq!((same.root(), inside), (root.clone(), PathBuf::from("d/f")));
    drop((same, disk));
    assert!(SimDisk::of(&root).is_none());
}
