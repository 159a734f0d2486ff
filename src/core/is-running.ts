// Whether a process is there: whoever left a lock and is gone has given it back.

/** Whether a process of this machine is there; true as well where only asking is not allowed. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
