package dev.knote;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** What can lie in a {@link Mailbox}: a knote with orders for it, or a {@link Post}. */
abstract class Mail {
    private static final VarHandle ORDERS;

    static {
        try {
            ORDERS = MethodHandles.lookup().findVarHandle(Mail.class, "orders", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** By the {@link Mailbox}. */
    Mail nextMail;

    @SuppressWarnings("unused") // by ORDERS
    private int orders;

    /** Adds orders; true if there were none, so that it has to be put into the mailbox. */
    final boolean order(int bits) {
        return (int) ORDERS.getAndBitwiseOr(this, bits) == 0;
    }

    /** The orders, which are then forgotten. */
    final int takeOrders() {
        return (int) ORDERS.getAndSet(this, 0);
    }
}
