//! What some runs take.

use std::time::Instant;

/// Runs the work so often and answers "WALL CPU" in nanoseconds, where CPU is the
/// time of all threads of this process.
pub fn time(times: usize, mut work: impl FnMut() -> Result<(), String>) -> Result<String, String> {
    let (wall, cpu) = (Instant::now(), cpu());
    for _ in 0..times {
        work()?;
    }
    Ok(format!("{} {}", wall.elapsed().as_nanos(), self::cpu() - cpu))
}

fn cpu() -> i64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // Safe: t outlives the call, and the clock is part of every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}
