import { createSubscriber } from 'svelte/reactivity';

/** The current time as reactive state. One timer for the page, running only while something reads it. */
class Clock {
  #ticks = createSubscriber((notify) => {
    const timer = setInterval(notify, 1_000);
    return () => clearInterval(timer);
  });

  /** Unix seconds by this computer's clock. */
  get nowSeconds(): number {
    this.#ticks();
    return Math.floor(Date.now() / 1_000);
  }
}

export const clock = new Clock();
