//! Memory that is freed is kept for what comes next.

/// Lets the allocator keep what is freed: each window frees buffers of many megabytes and takes as many again, and memory that was given
/// back to the system in between has to be cleared by it and mapped anew, page by page. The most that is in use does not change.
///
/// Only glibc gives back so eagerly and can be told not to (`mallopt(3)`).
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// The largest buffers of large models are smaller.
        const LARGEST: libc::c_int = 1 << 30;
        // SAFETY: numbers are all that is passed, and there is one thread yet.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        }
    }
}
