/** The worker as an application would load it by itself. */
import 'rootcellar/worker';
