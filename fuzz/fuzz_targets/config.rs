//! Any octets as a configuration: read, or refused with problems that stand where they say.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tollgate::config::load;

/// A file alone in a folder, so that an include finds nothing else.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("tollgate-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for one file");
    folder.join("tollgate.toml")
});

fuzz_target!(|octets: &[u8]| {
    // What a configuration names is looked at: not these, which never end.
    if [&b"/dev"[..], b"/proc", b"/sys"].iter().any(|root| octets.windows(root.len()).any(|at| at == *root)) {
        return;
    }
    std::fs::write(&*FILE, octets).expect("a file can be written");
    let environment = |name: &str| (name == "NAME").then(|| "value".to_owned());
    let Err(problems) = load(&FILE, &environment) else { return };
    assert!(!problems.0.is_empty(), "refused without a reason");
    let own = FILE.display().to_string();
    let text = String::from_utf8_lossy(octets);
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in &problems.0 {
        assert!(problem.line >= 1 && problem.column >= 1, "{problem}");
        assert!(!problem.what.is_empty() && !problem.advice.is_empty(), "{problem}");
        if problem.file == own {
            assert!(problem.line <= lines.len(), "{problem}");
            let columns = lines[problem.line - 1].chars().count();
            assert!(problem.column <= columns + 1, "{problem}");
        }
    }
});
