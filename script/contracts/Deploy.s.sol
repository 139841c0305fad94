// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {DeployChecks} from "./DeployChecks.sol";
import {LocalDollar} from "./LocalDollar.sol";
import {Deployed, Plan, Windows} from "./Plan.sol";
import {Script, console2} from "forge-std/Script.sol";
import {DpuGovernor} from "src-contracts/DpuGovernor.sol";
import {DpuTimelock} from "src-contracts/DpuTimelock.sol";
import {DpuToken} from "src-contracts/DpuToken.sol";
import {Market, Parts} from "src-contracts/Market.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {CapabilityProofs} from "src-contracts/capability/CapabilityProofs.sol";
import {MarketCourt} from "src-contracts/court/MarketCourt.sol";
import {MarketExits} from "src-contracts/court/MarketExits.sol";
import {ComputeCredits} from "src-contracts/credits/ComputeCredits.sol";
import {CreditParameters} from "src-contracts/credits/CreditParameters.sol";
import {MarketExtension} from "src-contracts/extension/MarketExtension.sol";
import {Benchmark, ICapabilityProofs} from "src-contracts/interfaces/ICapabilityProofs.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {MarketPanels} from "src-contracts/panels/MarketPanels.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice Deploys the token, the timelock, the governor, the extension, the Market, the credits and the proofs of capability, hands everything to the timelock, checks every
/// address and role, and writes where they are.
/// @dev Environment: DPU_NETWORK (`local`, `test` or `main`; decides the windows), DPU_DEPLOYMENT_FILE (default
/// `.dpu/contracts-<chain id>.json`), DPU_DEPLOYER_KEY, DPU_HOLDER (gets the supply of DPU), DPU_GUARDIAN (all required outside `local`),
/// DPU_TREASURY (default: the timelock), DPU_CURRENCIES (comma-separated, opened beside DPU; default none), DPU_RUNTIMES (comma-separated ids,
/// opened beside wasm; default none: a vote opens them), DPU_BENCHMARKS (hex of `abi.encode(uint8[] tiers, Benchmark[] benchmarks)`; default none).
/// Somebody has to `deposit` a few wei of DPU for the proofs before the first begins. A second run is refused while the file names a Market that has code on this chain.
contract Deploy is Script, DeployChecks {
    /// @notice Thrown when this network was deployed already.
    error AlreadyDeployed(string file, address market);

    /// @dev Account 0 of anvil's public test mnemonic.
    uint256 private constant LOCAL_KEY = 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80;
    uint24 private constant LOCAL_EPOCH = 5 minutes;
    address private constant LOCAL_GUARDIAN = 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC;

    function run() external {
        string memory file =
            vm.envOr("DPU_DEPLOYMENT_FILE", string.concat(".dpu/contracts-", vm.toString(block.chainid), ".json"));
        bool local = keccak256(bytes(vm.envOr("DPU_NETWORK", string("main")))) == keccak256("local");
        uint256 key = local ? vm.envOr("DPU_DEPLOYER_KEY", LOCAL_KEY) : vm.envUint("DPU_DEPLOYER_KEY");
        deploy(file, local, key);
    }

    /// @notice Deploys and writes `file`. Reverts with `AlreadyDeployed` when the file names a Market that is there.
    function deploy(string memory file, bool local, uint256 key) public returns (IMarket) {
        _requireFirst(file);
        Plan memory plan = _plan(local, vm.addr(key));
        _checkPlan(plan);
        Deployed memory d;
        d.startBlock = vm.getBlockNumber();

        vm.startBroadcast(key);
        d.token = DpuToken(_create("DpuToken", abi.encode(plan.holder)));
        if (local) plan.currencies[0] = address(LocalDollar(_create("LocalDollar", abi.encode(plan.holder))));
        d.timelock = DpuTimelock(payable(_create("DpuTimelock", abi.encode(plan.windows.timelock, plan.deployer))));
        Windows memory w = plan.windows;
        bytes memory args = abi.encode(d.token, d.timelock, plan.guardian, w.votingDelay, w.votingPeriod, w.lateQuorum);
        d.governor = DpuGovernor(payable(_create("DpuGovernor", args)));
        d.court = MarketCourt(_create("MarketCourt", abi.encode(d.token)));
        d.exits = MarketExits(_create("MarketExits", abi.encode(d.token)));
        d.panels = MarketPanels(_create("MarketPanels", abi.encode(d.token)));
        d.extension = MarketExtension(_create("MarketExtension", abi.encode(d.token)));
        if (plan.treasury == address(0)) plan.treasury = address(d.timelock);
        // The timelock owns the Market from the first second; the deployer never does.
        Parts memory parts = Parts(address(d.extension), address(d.panels), address(d.exits), address(d.court));
        args = abi.encode(d.token, parts, d.timelock, plan.treasury, plan.params);
        d.market = Market(payable(_create("Market", args)));
        args = abi.encode(d.market, d.token, d.timelock, plan.epochLength);
        d.credits = ComputeCredits(_create("ComputeCredits", args));
        args = abi.encode(d.market, d.token, d.timelock);
        d.proofs = CapabilityProofs(_create("CapabilityProofs", args));
        _handOver(plan, d);
        vm.stopBroadcast();

        _check(plan, d);
        _write(file, plan, d);
        return IMarket(address(d.market));
    }

    /// @dev From the artifact, not by `new`: that would compile every contract a second time, into this script. The types above make
    /// forge compile each one first.
    function _create(string memory name, bytes memory args) private returns (address made) {
        bytes memory code = abi.encodePacked(vm.getCode(string.concat(name, ".sol:", name)), args);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        require(made != address(0), CheckFailed(name));
    }

    /// @dev The timelock's first batch, while it has no delay: sets the Market up (DPU and wasm are open from the start; the plan's currencies
    /// and runtimes and the credits are opened here, the proofs may give tiers), makes the governor the only proposer, takes the deployer's
    /// roles away and sets the delay. It is all or nothing; after it the deployer is a stranger.
    function _handOver(Plan memory plan, Deployed memory d) private {
        uint256 opened = plan.currencies.length;
        uint256 length = opened + plan.runtimes.length + plan.tiers.length + 10;
        address[] memory targets = new address[](length);
        bytes[] memory calls = new bytes[](length);
        for (uint256 i; i < opened; ++i) {
            targets[i] = address(d.market);
            calls[i] = abi.encodeCall(IMarket(address(0)).allowCurrency, (plan.currencies[i], true));
        }
        for (uint256 i; i < plan.runtimes.length; ++i) {
            targets[opened] = address(d.market);
            require(plan.runtimes[i] <= Parameters.MAX_RUNTIME, CheckFailed("runtime"));
            // forge-lint: disable-next-line(unsafe-typecast)
            calls[opened++] = abi.encodeCall(IMarket(address(0)).allowRuntime, (uint8(plan.runtimes[i]), true));
        }
        targets[opened] = address(d.market);
        calls[opened++] = abi.encodeCall(IMarket(address(0)).allowCurrency, (address(d.credits), true));
        targets[opened] = address(d.market);
        calls[opened++] = abi.encodeCall(IMarket(address(0)).setCredits, (address(d.credits)));
        targets[opened] = address(d.market);
        calls[opened++] = abi.encodeCall(IMarket(address(0)).setProver, (address(d.proofs)));
        for (uint256 i; i < plan.tiers.length; ++i) {
            targets[opened] = address(d.proofs);
            calls[opened++] =
                abi.encodeCall(ICapabilityProofs(address(0)).setBenchmark, (plan.tiers[i], plan.benchmarks[i]));
        }

        targets[opened] = address(d.market);
        // An hour less than the longest term: the batch runs later than it is written.
        calls[opened] = abi.encodeCall(
            IMarket(address(0)).setGuardian,
            (plan.guardian, uint40(vm.getBlockTimestamp() + Parameters.GUARDIAN_TERM - 1 hours))
        );

        targets[opened + 1] = address(d.market);
        calls[opened + 1] = abi.encodeCall(IMarket(address(0)).allowSeats, (true));

        DpuTimelock t = d.timelock;
        bytes32 proposer = t.PROPOSER_ROLE();
        bytes32 canceller = t.CANCELLER_ROLE();
        for (uint256 i = opened + 2; i < targets.length; ++i) {
            targets[i] = address(t);
        }
        calls[opened + 2] = abi.encodeCall(t.grantRole, (proposer, address(d.governor)));
        calls[opened + 3] = abi.encodeCall(t.grantRole, (canceller, address(d.governor)));
        calls[opened + 4] = abi.encodeCall(t.revokeRole, (proposer, plan.deployer));
        calls[opened + 5] = abi.encodeCall(t.revokeRole, (canceller, plan.deployer));
        calls[opened + 6] = abi.encodeCall(t.updateDelay, (plan.windows.timelock));

        uint256[] memory values = new uint256[](targets.length);
        t.scheduleBatch(targets, values, calls, 0, 0, 0);
        t.executeBatch(targets, values, calls, 0, 0);
    }

    function _requireFirst(string memory file) private view {
        if (!vm.exists(file)) return;
        string memory json = vm.readFile(file);
        if (vm.parseJsonUint(json, ".chainId") != block.chainid) return;
        address market = vm.parseJsonAddress(json, ".market");
        require(market.code.length == 0, AlreadyDeployed(file, market));
    }

    /* SETTINGS */

    function _plan(bool local, address deployer) private view returns (Plan memory plan) {
        plan.deployer = deployer;
        plan.params = _params(local);
        plan.epochLength = local ? LOCAL_EPOCH : CreditParameters.EPOCH;
        plan.windows = _windows(local);
        bytes memory benchmarks = vm.envOr("DPU_BENCHMARKS", bytes(""));
        if (benchmarks.length != 0) (plan.tiers, plan.benchmarks) = abi.decode(benchmarks, (uint8[], Benchmark[]));
        if (local) {
            // Play money: the deployer hands it out. The one currency is the local dollar, made in a moment.
            plan.holder = deployer;
            plan.guardian = LOCAL_GUARDIAN;
            plan.currencies = new address[](1);
            // Everything there is a name for: what a node cannot run it does not offer.
            plan.runtimes = new uint256[](6);
            for (uint256 i; i < 6; ++i) {
                plan.runtimes[i] = i + 2;
            }
            plan.playMoney = true;
            return plan;
        }
        plan.holder = vm.envAddress("DPU_HOLDER");
        plan.guardian = vm.envAddress("DPU_GUARDIAN");
        plan.treasury = vm.envOr("DPU_TREASURY", address(0));
        plan.currencies = vm.envOr("DPU_CURRENCIES", ",", new address[](0));
        plan.runtimes = vm.envOr("DPU_RUNTIMES", ",", new uint256[](0));
    }

    /// @dev Local networks run the same code on short windows.
    function _params(bool local) private pure returns (Params memory p) {
        p = Parameters.initial();
        if (!local) return p;
        p.auditRates = 0; // a network without fees yet has nothing to pay auditors from
        p.revealWindow = 60 seconds;
        p.auditWindow = 60 seconds;
        p.openFor = 5 seconds;
        p.drawStep = 2 seconds;
        p.drawOpenAfter = 20 seconds;
    }

    function _windows(bool local) private pure returns (Windows memory) {
        if (local) return Windows(10 seconds, 120 seconds, 30 seconds, 10 seconds);
        return Windows(
            Parameters.VOTING_DELAY,
            Parameters.VOTING_PERIOD,
            Parameters.LATE_QUORUM_EXTENSION,
            Parameters.TIMELOCK_DELAY
        );
    }

    function _write(string memory file, Plan memory plan, Deployed memory d) private {
        string memory key = "deployment";
        vm.serializeUint(key, "chainId", block.chainid);
        vm.serializeAddress(key, "market", address(d.market));
        vm.serializeAddress(key, "extension", address(d.extension));
        vm.serializeAddress(key, "token", address(d.token));
        vm.serializeAddress(key, "governor", address(d.governor));
        vm.serializeAddress(key, "timelock", address(d.timelock));
        vm.serializeAddress(key, "credits", address(d.credits));
        vm.serializeAddress(key, "proofs", address(d.proofs));
        vm.serializeAddress(key, "currencies", plan.currencies);
        vm.writeJson(vm.serializeUint(key, "startBlock", d.startBlock), file);
        console2.log("Market", address(d.market));
        console2.log("Governor", address(d.governor));
    }
}
