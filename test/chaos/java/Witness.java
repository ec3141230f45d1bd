// What Apache Kafka's own Java client says about topics: every record that a read_committed consumer sees, partitions
// whose last stable offset is behind their end, and transactions that have not ended.
// Arguments: bootstrap servers, topics separated by commas. Output: one fact on a line, see the printf calls.
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Witness {
    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("isolation.level", "read_committed");
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        List<TopicPartition> partitions = new ArrayList<>();
        try (Admin admin = Admin.create(settings)) {
            for (var topic : admin.describeTopics(List.of(arguments[1].split(","))).allTopicNames().get().values())
                topic.partitions().forEach(info -> partitions.add(new TopicPartition(topic.name(), info.partition())));
            Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
            partitions.forEach(partition -> latest.put(partition, OffsetSpec.latest()));
            var ends = admin.listOffsets(latest, new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED)).all().get();
            var stable = admin.listOffsets(latest, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get();
            for (TopicPartition partition : partitions)
                if (ends.get(partition).offset() != stable.get(partition).offset())
                    System.out.printf("unstable %s %d%n", partition.topic(), partition.partition());
            var ended = Set.of(TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT);
            for (var transaction : admin.listTransactions().all().get())
                if (!ended.contains(transaction.state()))
                    System.out.printf("open %s %s%n", transaction.transactionalId(), transaction.state());
        }
        var bytes = new ByteArrayDeserializer();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition)))
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200)))
                    System.out.printf("record %s %d %d%n", record.topic(), record.partition(), record.offset());
        }
    }
}
