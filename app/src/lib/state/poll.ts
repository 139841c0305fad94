/** Calls back every `everyMs` while the page is visible, until the returned function is called. */
export function poll(everyMs: number): (notify: () => void) => () => void {
  return (notify) => {
    const timer = setInterval(() => document.visibilityState === 'visible' && notify(), everyMs);
    return () => clearInterval(timer);
  };
}
