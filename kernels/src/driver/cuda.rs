//! NVIDIA's driver, and the library that compiles for it.

use std::ffi::c_int;

use libloading::Library;

/// `int cuDriverGetVersion(int *version)`, the version as 1000 times its major number and 10 times its minor one (cuda.h).
type DriverVersion = unsafe extern "C" fn(*mut c_int) -> c_int;
/// `int nvrtcVersion(int *major, int *minor)` (nvrtc.h).
type NvrtcVersion = unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int;

/// `CUDA 13.0, NVRTC 12.9`; the first is the latest CUDA that the driver knows.
pub(super) fn driver() -> Option<String> {
    let (major, minor) = driver_version()?;
    let nvrtc = match nvrtc_version() {
        Some((major, minor)) => format!("NVRTC {major}.{minor}"),
        None => "no NVRTC found".to_owned(),
    };
    Some(format!("CUDA {major}.{minor}, {nvrtc}"))
}

fn driver_version() -> Option<(c_int, c_int)> {
    let library = open(&["libcuda.so.1", "libcuda.so", "nvcuda.dll"])?;
    let mut version = 0;
    // SAFETY: the type is that of cuda.h, and the number is written before the call returns.
    let failed = unsafe {
        let get = library.get::<DriverVersion>(b"cuDriverGetVersion\0").ok()?;
        get(&mut version)
    };
    (failed == 0).then_some((version / 1000, version % 1000 / 10))
}

fn nvrtc_version() -> Option<(c_int, c_int)> {
    let library = open(&[
        "libnvrtc.so",
        "libnvrtc.so.13",
        "libnvrtc.so.12",
        "nvrtc64_130_0.dll",
        "nvrtc64_120_0.dll",
    ])?;
    let (mut major, mut minor) = (0, 0);
    // SAFETY: the type is that of nvrtc.h, and the numbers are written before the call returns.
    let failed = unsafe {
        let get = library.get::<NvrtcVersion>(b"nvrtcVersion\0").ok()?;
        get(&mut major, &mut minor)
    };
    (failed == 0).then_some((major, minor))
}

fn open(names: &[&str]) -> Option<Library> {
    // SAFETY: NVIDIA's libraries have no initialisers that ask anything of their caller.
    names
        .iter()
        .find_map(|name| unsafe { Library::new(*name).ok() })
}
