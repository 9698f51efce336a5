package dev.knote.explore;

import static java.lang.constant.ConstantDescs.CD_String;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Loads the classes of one simulated process: before each step on shared memory the {@link Scheduler} is asked, and what
 * the kernel does is done by {@link Steps}.
 */
final class Woven extends ClassLoader {
    private static final List<String> PACKAGES = List.of("dev.knote.sync.", "dev.knote.percpu.",
            "dev.knote.kfutex.",
            "dev.knote.pool.", "dev.knote.words.Words");
    private static final ClassDesc STEPS = Steps.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc STEP = MethodTypeDesc.ofDescriptor("(Ljava/lang/String;)V");
    private static final String SEGMENT = "(Ljava/lang/foreign/MemorySegment;J";
    /** Calls that {@link Steps} answers, by a method of the same name and descriptor, and where they are from. */
    private static final Map<String, Set<String>> ANSWERED = Map.of(
            "dev/knote/words/Words", Set.of("sleep", "wake"),
            "dev/knote/words/ProcStat", Set.of("of"),
            "dev/knote/linux/Futex", Set.of("wake", "addAndWake", "waitv"),
            "dev/knote/linux/Threads", Set.of("cpu", "gettid", "getpid", "tgkill", "isGone"),
            "java/lang/System", Set.of("nanoTime"),
            "java/lang/Thread", Set.of("onSpinWait", "yield"));

    private final List<Fault> faults;
    private final Set<Fault> planted = new HashSet<>();
    private final Map<Fault, Integer> places = new HashMap<>();

    Woven(List<Fault> faults) {
        super(Woven.class.getClassLoader());
        this.faults = faults;
    }

    /** Whether it had a place so far. */
    boolean hasPlanted(Fault fault) {
        return planted.contains(fault);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded == null && PACKAGES.stream().anyMatch(name::startsWith)) {
                byte[] bytes = woven(name);
                loaded = defineClass(name, bytes, 0, bytes.length);
            }
            return loaded != null ? loaded : super.loadClass(name, resolve);
        }
    }

    private byte[] woven(String name) throws ClassNotFoundException {
        try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            ClassModel model = ClassFile.of().parse(in.readAllBytes());
            Set<String> volatiles = new HashSet<>();
            model.fields().stream()
                    .filter(f -> f.flags().has(AccessFlag.VOLATILE) && !f.flags().has(AccessFlag.STATIC))
                    .forEach(f -> volatiles.add(f.fieldName().stringValue()));
            String simple = name.substring(name.lastIndexOf('.') + 1);
            return ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                    ClassHierarchyResolver.ofResourceParsing(getParent()).orElse(
                            ClassHierarchyResolver.defaultResolver())))
                    .transformClass(model, (builder, element) -> {
                        if (element instanceof MethodModel method) {
                            String where = simple + "." + method.methodName().stringValue();
                            builder.transformMethod(method,
                                    java.lang.classfile.MethodTransform.transformingCode(
                                            code(where, volatiles)));
                        } else {
                            builder.with(element);
                        }
                    });
        } catch (IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }

    private CodeTransform code(String where, Set<String> volatiles) {
        return (code, element) -> {
            if (plant(code, element, where)) {
                return;
            }
            switch (element) {
                case InvokeInstruction call -> call(code, call, where);
                case FieldInstruction field when isVolatile(field, where, volatiles) -> {
                    step(code, where + " " + field.name().stringValue());
                    code.with(field);
                }
                default -> code.with(element);
            }
        };
    }

    private static boolean isVolatile(FieldInstruction field, String where, Set<String> volatiles) {
        return (field.opcode() == Opcode.GETFIELD || field.opcode() == Opcode.PUTFIELD)
                && !where.endsWith("<init>") && volatiles.contains(field.name().stringValue());
    }

    private static void step(CodeBuilder code, String site) {
        code.loadConstant(site).invokestatic(STEPS, "step", STEP);
    }

    private static void call(CodeBuilder code, InvokeInstruction call, String where) {
        String owner = call.owner().asInternalName();
        String name = call.name().stringValue();
        String type = call.type().stringValue();
        String site = where + " " + name;
        if (owner.equals("java/lang/invoke/VarHandle") && !name.endsWith("Fence")) {
            boolean known = type.startsWith(SEGMENT);
            if (known && Set.of("get", "getOpaque", "getAcquire", "getVolatile").contains(name)) {
                answered(code, type.endsWith("I") ? "loadInt" : "loadLong", type, site);
            } else if (known && Set.of("set", "setOpaque", "setRelease").contains(name)) {
                answered(code, "store", type, site);
            } else {
                step(code, site);
                code.with(call);
            }
        } else if (owner.equals("java/lang/invoke/VarHandle") && name.equals("fullFence")) {
            code.loadConstant(site).invokestatic(STEPS, "fence", STEP);
        } else if (ANSWERED.getOrDefault(owner, Set.of()).contains(name)) {
            answered(code, name, type, site);
        } else if (owner.equals("dev/knote/linux/OwnCpu") && name.equals("get")) {
            code.pop().loadConstant(site)
                    .invokestatic(STEPS, "cpu", MethodTypeDesc.ofDescriptor("(Ljava/lang/String;)I"));
        } else if (owner.equals("java/lang/Runtime") && name.equals("availableProcessors")) {
            code.pop().loadConstant((Integer) 1);
        } else if (owner.equals("java/util/concurrent/ThreadLocalRandom") && type.equals("(I)I")) {
            code.pop().pop().loadConstant((Integer) 0);
        } else if (owner.equals("java/lang/ThreadLocal") && name.equals("get")) {
            code.invokestatic(STEPS, "get",
                    MethodTypeDesc.ofDescriptor("(Ljava/lang/ThreadLocal;)Ljava/lang/Object;"));
        } else if (owner.equals("java/lang/foreign/MemorySegment") && name.equals("copy")) {
            step(code, site);
            code.with(call);
        } else {
            code.with(call);
        }
    }

    /** The handle stays on the stack as the first argument of a load or store. */
    private static void answered(CodeBuilder code, String name, String type, String site) {
        MethodTypeDesc desc = MethodTypeDesc.ofDescriptor(type);
        if (name.startsWith("load") || name.equals("store")) {
            desc = desc.insertParameterTypes(0, ClassDesc.of("java.lang.invoke.VarHandle"));
        }
        desc = desc.insertParameterTypes(desc.parameterCount(), CD_String);
        code.loadConstant(site).invokestatic(STEPS, name, desc);
    }

    private boolean plant(CodeBuilder code, CodeElement element, String where) {
        for (Fault fault : faults) {
            if (!where.equals(fault.type() + "." + fault.method())) {
                continue;
            }
            if (!isPlace(element, fault)) {
                continue;
            }
            int place = places.merge(fault, 1, Integer::sum);
            if (fault.nth() != 0 && fault.nth() != place) {
                continue;
            }
            planted.add(fault);
            switch (element) {
                case InvokeInstruction call -> instead(code, call, fault, where);
                case ConstantInstruction number when number.constantValue() instanceof Integer ->
                    code.loadConstant((Integer) (int) fault.to());
                default -> code.loadConstant((Long) fault.to());
            }
            return true;
        }
        return false;
    }

    private static boolean isPlace(CodeElement element, Fault fault) {
        return switch (element) {
            case InvokeInstruction call -> call.name().stringValue().equals(fault.callee());
            case ConstantInstruction number -> fault.kind() == Fault.Kind.NUMBER
                    && number.constantValue() instanceof Number value && value.longValue() == fault.from();
            default -> false;
        };
    }

    private static void instead(CodeBuilder code, InvokeInstruction call, Fault fault, String where) {
        MethodTypeDesc type = call.typeSymbol();
        if (fault.kind() == Fault.Kind.WEAKEN) {
            weak(code, call, where, type);
            return;
        }
        for (int i = type.parameterCount() - 1; i >= 0; i--) {
            drop(code, TypeKind.from(type.parameterType(i)));
        }
        if (call.opcode() != Opcode.INVOKESTATIC) {
            code.pop();
        }
        switch (TypeKind.from(type.returnType())) {
            case VOID -> {}
            case LONG -> code.loadConstant((Long) fault.to());
            case REFERENCE -> code.aconst_null();
            default -> code.loadConstant((Integer) (int) fault.to());
        }
    }

    private static void weak(CodeBuilder code, InvokeInstruction call, String where, MethodTypeDesc type) {
        String site = where + " weak";
        if (call.owner().asInternalName().equals("dev/knote/words/Words")) {
            code.loadConstant(site).invokestatic(STEPS, "weakSet",
                    type.insertParameterTypes(type.parameterCount(), CD_String));
        } else {
            answered(code, "store", type.descriptorString(), site);
        }
    }

    private static void drop(CodeBuilder code, TypeKind kind) {
        if (kind.slotSize() == 2) {
            code.pop2();
        } else {
            code.pop();
        }
    }

}
