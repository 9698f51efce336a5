package dev.knote.transport.testsuite;

import dev.knote.transport.KnoteIoHandler;
import io.netty.channel.AbstractIoHandlerEventCountTest;
import io.netty.channel.IoHandlerFactory;

class KnoteIoHandlerEventCountIT extends AbstractIoHandlerEventCountTest {
    @Override
    protected IoHandlerFactory newIoHandlerFactory() {
        return KnoteIoHandler.newFactory();
    }
}
