//! A folder of one test, removed when the test ends.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty folder with a name that nobody else uses.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        let name = format!("bulkhead-test-{purpose}-{}", bulkhead_domain::ids::new_id().simple());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("make a folder for this test");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    #[must_use]
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("write a file of this test");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A test that already failed has more to say than a folder that stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}
