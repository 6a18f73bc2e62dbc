//! `--config`: which configuration a command works with.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::BadSettings;
use crate::config::{self, Config, StoreConfig};

/// Where the configuration is looked for when none is named.
const PLACES: [&str; 2] = ["tollgate.toml", "/etc/tollgate/tollgate.toml"];

/// Names the configuration.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgs {
    /// The configuration [default: ./tollgate.toml, then /etc/tollgate/tollgate.toml]
    #[arg(long, global = true, value_name = "FILE", env = "TOLLGATE_CONFIG")]
    config: Option<PathBuf>,
}

impl SettingsArgs {
    /// The file that is meant.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        if let Some(path) = &self.config {
            return path.clone();
        }
        let there = PLACES.iter().map(Path::new).find(|path| path.exists());
        there.unwrap_or(Path::new(PLACES[0])).to_path_buf()
    }

    /// The whole configuration.
    ///
    /// # Errors
    /// [`BadSettings`] with every problem.
    pub fn load(&self) -> anyhow::Result<Config> {
        let config = config::load(&self.path(), &config::process_environment);
        Ok(config.map_err(|problems| BadSettings(problems.to_string()))?)
    }

    /// Only where store and admin socket are; works with a configuration that is otherwise broken.
    ///
    /// # Errors
    /// [`BadSettings`] with the problems of these two tables.
    pub fn load_store(&self) -> anyhow::Result<StoreConfig> {
        let config = config::load_store(&self.path(), &config::process_environment);
        Ok(config.map_err(|problems| BadSettings(problems.to_string()))?)
    }
}
