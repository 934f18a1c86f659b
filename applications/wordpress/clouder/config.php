<?php
// Where no address is set, the site answers under the one it is asked by.
$address = getenv('WORDPRESS_ADDRESS') ?: 'http://' . ($_SERVER['HTTP_HOST'] ?? 'localhost');
define('WP_HOME', $address);
define('WP_SITEURL', $address);

define('WPMU_PLUGIN_DIR', '/opt/clouder/plugins');
