package dev.knote.poll;

/** Stands in the place of a wait that was armed again by another thread, while what it had armed first is cancelled. */
final class FirstArming extends WordWait {
    FirstArming(WordWait of) {
        target(of.address, of.expected);
        slot = of.slot;
        generation = of.generation;
        state(ARMED);
    }

    @Override
    protected void ended(int result) {
        state(result == 0 ? CANCELLED_WOKEN : CANCELLED_CLEAN);
    }

    @Override
    protected boolean matches() {
        return true;
    }

    @Override
    protected int peek() {
        return expected;
    }

    @Override
    protected boolean isWide() {
        return false;
    }
}
