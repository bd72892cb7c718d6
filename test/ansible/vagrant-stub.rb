# frozen_string_literal: true

# Stands in for Vagrant: runs a Vagrantfile and prints as JSON what it asks for. What the file may say is what is written here; another word is an error.
require "json"

class Settings
  def initialize(*names) = names.each { |name| allow(name) }
  def values = @values ||= {}
  def to_json(*args) = values.to_json(*args)

  private

  def allow(name)
    define_singleton_method("#{name}=") { |value| values[name] = value }
  end
end

class Machine < Settings
  def initialize = super(:hostname, :box)
  def network(kind, **options) = (values[:networks] ||= []) << { kind: kind, **options }
  def synced_folder(host, guest, **options) = (values[:folders] ||= []) << { host: host, guest: guest, **options }

  def provider(name)
    yield((values[:providers] ||= {})[name] = Settings.new(:cpus, :memory))
  end

  def provision(kind)
    raise "No provisioner #{kind} here" unless kind == "ansible"

    settings = Settings.new(:compatibility_mode, :config_file, :playbook, :limit, :groups, :host_vars, :extra_vars)
    (values[:provisioners] ||= []) << settings
    yield settings
  end

  def define(name)
    yield((values[:machines] ||= {})[name] = Config.new)
  end
end

class Config
  def vm = @vm ||= Machine.new
  def to_json(*args) = vm.to_json(*args)
end

module Vagrant
  def self.configure(version)
    raise "No configuration version #{version}" unless version == "2"

    yield(config = Config.new)
    puts JSON.generate({ config: config, parallel: ENV["VAGRANT_NO_PARALLEL"].nil? })
  end
end

load ARGV.fetch(0)
