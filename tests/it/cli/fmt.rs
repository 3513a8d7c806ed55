//! `kiff fmt`: `domain!` blocks, which rustfmt leaves alone.

use std::fs;

use super::{folder, kiff, no_room};

#[test]
fn blocks_are_laid_out_and_stay_so() {
    let folder = folder("fmt");
    kiff(&folder, &["new", "desk"]).well();
    let domain = folder.join("desk/src/domain.rs");
    let right = fs::read_to_string(&domain).unwrap();
    assert_eq!(kiff(&folder, &["fmt", "--check"]).well(), "", "what `kiff new` writes is laid out");
    fs::write(&domain, right.replace("    roles {", "  roles{")).unwrap();
    let told = kiff(&folder, &["fmt", "--check", "desk"]).ended_with(1);
    assert!(told.starts_with("desk/src/domain.rs:") && told.ends_with(": is not laid out\n"), "{told}");
    assert!(kiff(&folder, &["fmt"]).well().ends_with(": laid out\n"));
    assert_eq!(fs::read_to_string(&domain).unwrap(), right);
    fs::write(&domain, right.replace('\n', "\r\n")).unwrap();
    assert_eq!(kiff(&folder, &["fmt", "--check"]).well(), "", "lines may end as they do on Windows");
    assert!(kiff(&folder, &["fmt", "none.rs"]).not_done().starts_with("error: cannot read `none.rs`: there is none"));
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_not_followed() {
    use std::os::unix::fs::symlink;

    let folder = folder("fmt-links");
    kiff(&folder, &["new", "desk"]).well();
    let domain = folder.join("desk/src/domain.rs");
    let right = fs::read_to_string(&domain).unwrap();
    fs::write(&domain, right.replace("    roles {", "  roles{")).unwrap();
    symlink("..", folder.join("desk/src/all")).unwrap();
    fs::create_dir(folder.join("elsewhere.rs")).unwrap();
    symlink("../../elsewhere.rs", folder.join("desk/src/elsewhere.rs")).unwrap();
    symlink("nowhere", folder.join("desk/src/nowhere.rs")).unwrap();
    let told = kiff(&folder, &["fmt", "--check", "desk"]).ended_with(1);
    assert!(told.starts_with("desk/src/domain.rs:") && told.lines().count() == 1, "{told}");
    // A folder that is named is meant, whichever way it is named.
    symlink("desk", folder.join("named")).unwrap();
    assert!(kiff(&folder, &["fmt", "named"]).well().starts_with("named/src/domain.rs:"));
    assert_eq!(fs::read_to_string(&domain).unwrap(), right);
}

#[test]
fn a_file_that_cannot_be_written_stays_as_it_was() {
    let folder = folder("fmt-full");
    kiff(&folder, &["new", "desk"]).well();
    let domain = folder.join("desk/src/domain.rs");
    let wrong = fs::read_to_string(&domain).unwrap().replace("    roles {", "  roles{");
    fs::write(&domain, &wrong).unwrap();
    let told = no_room(&folder, 0, &["fmt", "desk"]).not_done();
    assert!(told.starts_with("error: cannot write `desk/src/domain.rs`: "), "{told}");
    assert_eq!(fs::read_to_string(&domain).unwrap(), wrong);
    let mut names = fs::read_dir(folder.join("desk/src")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.all(|name| !name.to_string_lossy().ends_with(".part")));
}

#[cfg(unix)]
#[test]
fn a_file_keeps_who_may_read_it_and_the_links_to_it() {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder("fmt-mode");
    kiff(&folder, &["new", "desk"]).well();
    let (domain, kept) = (folder.join("desk/src/domain.rs"), folder.join("kept.rs"));
    let right = fs::read_to_string(&domain).unwrap();
    fs::rename(&domain, &kept).unwrap();
    // One link behind another, each from its own folder.
    symlink("../../kept.rs", folder.join("desk/src/also.rs")).unwrap();
    symlink("also.rs", &domain).unwrap();
    fs::write(&kept, right.replace("    roles {", "  roles{")).unwrap();
    fs::set_permissions(&kept, Permissions::from_mode(0o640)).unwrap();
    assert!(kiff(&folder, &["fmt", "desk/src/domain.rs"]).well().ends_with(": laid out\n"));
    assert_eq!(fs::read_to_string(&kept).unwrap(), right);
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o640);
    for link in ["desk/src/domain.rs", "desk/src/also.rs"] {
        assert!(fs::symlink_metadata(folder.join(link)).unwrap().is_symlink(), "{link}");
    }
}
