package keta;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.binary.api.IBinaryStorageSvc;
import ca.uhn.fhir.jpa.binstore.DatabaseBinaryContentStorageSvcImpl;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.search.HapiHSearchAnalysisConfigurers;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.h2.jdbcx.JdbcConnectionPool;
import org.hibernate.cfg.AvailableSettings;
import org.hibernate.search.backend.lucene.cfg.LuceneBackendSettings;
import org.hibernate.search.backend.lucene.cfg.LuceneIndexSettings;
import org.hibernate.search.engine.cfg.BackendSettings;
import org.hibernate.search.mapper.orm.cfg.HibernateOrmMapperSettings;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * A HAPI FHIR R4 server with HAPI's own defaults, for the tests: in memory, on the loopback address alone.
 *
 * <p>The only argument is the port, 0 for a free one. The base URL is printed on standard output when it answers. It ends
 * when its standard input does, so that it cannot outlive the tests.
 */
public final class Hapi {
  private Hapi() {}

  public static void main(String[] arguments) throws Exception {
    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(Wiring.class);
    RestfulServer fhir = context.getBean(RestfulServer.class);

    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(arguments.length == 0 ? 0 : Integer.parseInt(arguments[0]));
    server.addConnector(connector);
    connector.open();
    String base = "http://127.0.0.1:" + connector.getLocalPort() + "/fhir";
    fhir.setServerAddressStrategy(new HardcodedServerAddressStrategy(base));
    ServletContextHandler servlets = new ServletContextHandler();
    servlets.addServlet(new ServletHolder(fhir), "/fhir/*");
    server.setHandler(servlets);
    server.start();
    System.out.println(base);

    while (System.in.read() >= 0) {}
    server.stop();
    context.close();
    System.exit(0);
  }

  @Configuration
  @Import({
    JpaR4Config.class,
    HapiJpaConfig.class,
    ThreadPoolFactoryConfig.class,
    JpaBatch2Config.class,
    Batch2JobsConfig.class,
    SubscriptionSubmitterConfig.class,
    SubscriptionProcessorConfig.class,
    SubscriptionChannelConfig.class,
    PackageOperation.class
  })
  static class Wiring {
    @Bean
    JpaStorageSettings storageSettings() {
      JpaStorageSettings settings = new JpaStorageSettings();
      settings.setHibernateSearchIndexFullText(true); // $expand answers 500 without the index
      settings.setExpungeEnabled(true); // the benchmark begins each turn with an empty store
      settings.setAllowMultipleDelete(true); // asked for by $expunge of everything
      return settings;
    }

    @Bean
    PartitionSettings partitionSettings() {
      return new PartitionSettings();
    }

    @Bean
    SubscriptionSettings subscriptionSettings() {
      return new SubscriptionSettings();
    }

    @Bean
    IBinaryStorageSvc binaryStorage() {
      return new DatabaseBinaryContentStorageSvcImpl();
    }

    @Bean
    IEmailSender emailSender() {
      return details -> {};
    }

    @Bean(destroyMethod = "dispose")
    JdbcConnectionPool dataSource() {
      JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:keta;DB_CLOSE_DELAY=-1", "sa", "");
      pool.setMaxConnections(30);
      return pool;
    }

    @Bean
    LocalContainerEntityManagerFactoryBean entityManagerFactory(
        ConfigurableListableBeanFactory beans, FhirContext fhir, DataSource source, JpaStorageSettings settings) {
      LocalContainerEntityManagerFactoryBean factory =
          HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
      factory.setPersistenceUnitName("keta");
      factory.setDataSource(source);
      Properties properties = new Properties();
      properties.put(AvailableSettings.DIALECT, HapiFhirH2Dialect.class.getName());
      properties.put(AvailableSettings.HBM2DDL_AUTO, "create");
      properties.put(HibernateOrmMapperSettings.ENABLED, "true");
      properties.put(BackendSettings.backendKey(BackendSettings.TYPE), "lucene");
      properties.put(
          BackendSettings.backendKey(LuceneBackendSettings.ANALYSIS_CONFIGURER),
          HapiHSearchAnalysisConfigurers.HapiLuceneAnalysisConfigurer.class.getName());
      properties.put(BackendSettings.backendKey(LuceneIndexSettings.DIRECTORY_TYPE), "local-heap");
      factory.setJpaProperties(properties);
      return factory;
    }

    @Bean
    @Primary
    JpaTransactionManager transactionManager(EntityManagerFactory entityManagerFactory) {
      return new JpaTransactionManager(entityManagerFactory);
    }

    @Bean
    RestfulServer restfulServer(
        FhirContext fhir,
        IFhirSystemDao<?, ?> systemDao,
        JpaSystemProvider<?, ?> systemProvider,
        ResourceProviderFactory resourceProviders,
        ValueSetOperationProvider valueSets,
        PackageOperation packages,
        JpaStorageSettings settings,
        ISearchParamRegistry searchParameters,
        IValidationSupport support,
        DatabaseBackedPagingProvider paging) {
      RestfulServer server = new RestfulServer(fhir);
      server.registerProviders(resourceProviders.createProviders());
      server.registerProviders(systemProvider, valueSets, packages);
      server.setServerConformanceProvider(
          new JpaCapabilityStatementProvider(server, systemDao, settings, searchParameters, support));
      server.setPagingProvider(paging);
      return server;
    }
  }
}
