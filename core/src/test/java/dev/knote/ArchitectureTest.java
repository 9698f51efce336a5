package dev.knote;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Imports point one way: dev.knote, then dev.knote.poll, then dev.knote.linux. */
@Tag("once")
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.knote");

    /** The rules below pass on an empty import, so make sure that it is not empty. */
    @Test
    void someClassesAreChecked() {
        assertFalse(CLASSES.isEmpty());
    }

    @Test
    void linuxImportsNothingOfOursButItself() {
        noClasses().that().resideInAPackage("dev.knote.linux..").should().dependOnClassesThat(
                resideInAPackage("dev.knote..").and(not(resideInAPackage("dev.knote.linux.."))))
                .allowEmptyShould(true).check(CLASSES);
    }

    @Test
    void pollImportsOnlyLinux() {
        noClasses().that().resideInAPackage("dev.knote.poll..").should()
                .dependOnClassesThat(resideInAPackage("dev.knote..")
                        .and(not(resideInAnyPackage("dev.knote.poll..", "dev.knote.linux.."))))
                .allowEmptyShould(true).check(CLASSES);
    }

    @Test
    void onlyNativeLinksToC() {
        noClasses().that().doNotHaveFullyQualifiedName("dev.knote.linux.Native")
                .and(not(nestedIn("dev.knote.linux.Native"))).should().dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker").allowEmptyShould(true)
                .check(CLASSES);
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching("dev.(**)").should().beFreeOfCycles().allowEmptyShould(true)
                .check(CLASSES);
    }

    private static DescribedPredicate<JavaClass> nestedIn(String name) {
        return DescribedPredicate.describe("nested in " + name,
                c -> c.getName().startsWith(name + "$"));
    }
}
