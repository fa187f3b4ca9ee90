//! Compiled kernels that outlive a process.

use std::path::Path;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

/// Keeps kernels that are compiled for CUDA and for Vulkan in a database in `folder`, which is made when it is first written, so
/// that another process need not compile them.
///
/// It has to be called before any device is opened, and once; whether it took effect is returned. A `cubecl.toml` in the current folder
/// and CubeCL's environment variables go on to decide about everything else. Where the folder cannot be written, kernels are compiled in
/// each process.
pub fn keep_compiled_kernels(folder: &Path) -> bool {
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.compilation.cache = true;
    config.environment.path = CacheConfig::Directory(folder.to_path_buf());
    CubeClRuntimeConfig::try_set(config)
}
