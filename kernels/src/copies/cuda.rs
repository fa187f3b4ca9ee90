//! Copies by CUDA, from NVIDIA's profiling interface.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use libloading::Library;

use super::{Copies, Tally};

/// `CUPTI_CB_DOMAIN_DRIVER_API`: calls of the driver.
const DRIVER_API: c_int = 1;
/// `CUPTI_API_ENTER`: the callback comes before the call.
const ENTER: c_int = 0;
/// `CU_MEMORYTYPE_HOST`.
const HOST: c_int = 1;

/// The beginning of `CUpti_CallbackData` (cupti_callbacks.h).
#[repr(C)]
struct CallbackData {
    site: c_int,
    function_name: *const c_char,
    function_params: *const c_void,
}

/// The parameters of `cuMemcpyHtoDAsync_v2` and `cuMemcpyDtoHAsync_v2`: two addresses and a number of bytes.
#[repr(C)]
struct LinearCopy {
    destination: usize,
    source: usize,
    bytes: usize,
}

/// The parameters of `cuMemcpy2DAsync_v2`.
#[repr(C)]
struct PitchedCopy {
    copy: *const Copy2D,
}

/// `CUDA_MEMCPY2D` (cuda.h).
#[repr(C)]
struct Copy2D {
    source: Side,
    destination: Side,
    width_in_bytes: usize,
    height: usize,
}

/// Where one side of a two-dimensional copy lies.
#[repr(C)]
struct Side {
    x_in_bytes: usize,
    y: usize,
    memory_type: c_int,
    host: usize,
    device: usize,
    array: usize,
    pitch: usize,
}

type Subscriber = *mut c_void;
type Callback = unsafe extern "C" fn(*mut c_void, c_int, c_uint, *const CallbackData);
type Subscribe = unsafe extern "C" fn(*mut Subscriber, Callback, *mut c_void) -> c_int;
type EnableDomain = unsafe extern "C" fn(c_uint, Subscriber, c_int) -> c_int;
type Unsubscribe = unsafe extern "C" fn(Subscriber) -> c_int;

/// What is needed of the library, which is never unloaded: the driver may still call into it.
struct Cupti {
    subscribe: Subscribe,
    enable_domain: EnableDomain,
    unsubscribe: Unsubscribe,
}

impl Cupti {
    fn find() -> Option<&'static Self> {
        static CUPTI: OnceLock<Option<Cupti>> = OnceLock::new();
        CUPTI.get_or_init(Self::load).as_ref()
    }

    fn load() -> Option<Self> {
        let names = [
            "libcupti.so",
            "libcupti.so.13",
            "libcupti.so.12",
            "cupti.dll",
        ];
        // SAFETY: NVIDIA's library has no initialiser that asks anything of its caller.
        let open = |name: &&str| unsafe { Library::new(*name).ok() };
        let library: &'static Library = Box::leak(Box::new(names.iter().find_map(open)?));
        // SAFETY: the types are those of cupti_callbacks.h, which have not changed since CUDA 4.
        unsafe {
            Some(Self {
                subscribe: *library.get::<Subscribe>(b"cuptiSubscribe\0").ok()?,
                enable_domain: *library.get::<EnableDomain>(b"cuptiEnableDomain\0").ok()?,
                unsubscribe: *library.get::<Unsubscribe>(b"cuptiUnsubscribe\0").ok()?,
            })
        }
    }
}

static TO_DEVICE: Tally = Tally::new();
static TO_HOST: Tally = Tally::new();

/// Counts a call's copies, while no other call's are counted: a process has one subscriber.
pub(super) fn count<T>(call: impl FnOnce() -> T) -> (T, Option<Copies>) {
    let Some(cupti) = Cupti::find() else {
        return (call(), None);
    };
    let mut subscriber: Subscriber = std::ptr::null_mut();
    // SAFETY: the callback and its statics live as long as the process.
    let subscribed = unsafe {
        (cupti.subscribe)(&mut subscriber, on_call, std::ptr::null_mut()) == 0
            && (cupti.enable_domain)(1, subscriber, DRIVER_API) == 0
    };
    TO_DEVICE.take();
    TO_HOST.take();
    let result = call();
    let copies = Copies {
        to_device: TO_DEVICE.take(),
        to_host: TO_HOST.take(),
    };
    if !subscriber.is_null() {
        // SAFETY: it is the subscriber from above, given back once.
        unsafe { (cupti.unsubscribe)(subscriber) };
    }
    (result, subscribed.then_some(copies))
}

/// Called by the driver around each of its functions, on the thread that calls it.
unsafe extern "C" fn on_call(_: *mut c_void, domain: c_int, _: c_uint, data: *const CallbackData) {
    // SAFETY: of this domain, CUPTI gives data that are valid during the callback.
    let Some(data) = (unsafe { data.as_ref() }) else {
        return;
    };
    if domain != DRIVER_API || data.site != ENTER || data.function_name.is_null() {
        return;
    }
    // SAFETY: a name that ends with a zero byte.
    let name = unsafe { CStr::from_ptr(data.function_name) }.to_bytes();
    if !name.starts_with(b"cuMemcpy") {
        return;
    }
    // SAFETY: parameters are those of the function of that name.
    unsafe {
        if name.starts_with(b"cuMemcpyHtoD") {
            TO_DEVICE.add(linear_bytes(data.function_params));
        } else if name.starts_with(b"cuMemcpyDtoH") {
            TO_HOST.add(linear_bytes(data.function_params));
        } else if name.starts_with(b"cuMemcpy2D") {
            pitched(data.function_params);
        } else if !name.starts_with(b"cuMemcpyDtoD") && !name.starts_with(b"cuMemcpyPeer") {
            // CubeCL uses no other; one that says no direction counts in both, so that it does not go unseen.
            TO_DEVICE.add(0);
            TO_HOST.add(0);
        }
    }
}

/// # Safety
///
/// `parameters` are those of a copy between host and device.
unsafe fn linear_bytes(parameters: *const c_void) -> u64 {
    // SAFETY: as the caller promises.
    unsafe { (*parameters.cast::<LinearCopy>()).bytes as u64 }
}

/// # Safety
///
/// `parameters` are those of a copy in two dimensions.
unsafe fn pitched(parameters: *const c_void) {
    // SAFETY: as the caller promises.
    let copy = unsafe { &*(*parameters.cast::<PitchedCopy>()).copy };
    let bytes = (copy.width_in_bytes * copy.height) as u64;
    match (copy.source.memory_type, copy.destination.memory_type) {
        (HOST, HOST) => {}
        (HOST, _) => TO_DEVICE.add(bytes),
        (_, HOST) => TO_HOST.add(bytes),
        _ => {}
    }
}
