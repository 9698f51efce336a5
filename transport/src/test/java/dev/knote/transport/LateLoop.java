package dev.knote.transport;

import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.util.concurrent.Promise;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A loop that registers a handle no sooner than a test says: {@link #loop} is a real one but for that. */
final class LateLoop {
    final IoEventLoop loop;
    private final IoEventLoop real;
    private final Promise<IoRegistration> late;
    private volatile IoHandle handle;
    private volatile IoRegistration registration;

    LateLoop(IoEventLoop real) {
        this.real = real;
        late = real.newPromise();
        loop = (IoEventLoop) Proxy.newProxyInstance(LateLoop.class.getClassLoader(),
                new Class<?>[] {IoEventLoop.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("register") && arguments[0] instanceof IoHandle given) {
                        handle = given;
                        return late;
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    void awaitHandle() {
        Streams.await("the registration is asked for", () -> handle != null);
    }

    /** Now it is registered; returns what came of it, when its listeners were told. */
    IoRegistration register() throws Exception {
        real.submit(() -> {
            registration = real.register(handle).getNow();
            late.setSuccess(registration);
        }).sync();
        real.submit(() -> {}).sync();
        return registration;
    }
}
