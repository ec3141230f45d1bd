// Produces the lines of standard input with the Java client: arguments are broker, topic and compression.type.
// Run from source (`java -cp ... CodecProducer.java`) by kafka-codecs.test.ts.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class CodecProducer {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", arguments[0], "compression.type", arguments[2], "acks", "all", "linger.ms", 100);
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        producer.send(new ProducerRecord<>(arguments[1], line), (metadata, error) -> {
          if (error != null) {
            error.printStackTrace();
            System.exit(1);
          }
        });
      }
      producer.flush();
    }
  }
}
