package dev.knote.transport;

import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import java.util.Map;

/** Has the value from which on a word's changes are read. */
final class MemoryWordChannelConfig extends DefaultChannelConfig {
    private final MemoryWordChannel words;
    private volatile Long expected;

    MemoryWordChannelConfig(MemoryWordChannel channel) {
        super(channel);
        words = channel;
    }

    Long expected() {
        return expected;
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), MemoryWordChannel.EXPECTED);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getOption(ChannelOption<T> option) {
        return option == MemoryWordChannel.EXPECTED ? (T) expected : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        validate(option, value);
        if (option != MemoryWordChannel.EXPECTED) {
            return super.setOption(option, value);
        }
        expected = (Long) value;
        return true;
    }

    @Override
    protected void autoReadCleared() {
        words.autoReadCleared();
    }
}
