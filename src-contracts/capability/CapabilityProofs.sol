// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Benchmark, ICapabilityProofs} from "src-contracts/interfaces/ICapabilityProofs.sol";
import {IMarket} from "src-contracts/interfaces/IMarket.sol";
import {Job, JobState} from "src-contracts/types/Job.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Rules} from "src-contracts/types/Rules.sol";
import {Terms} from "src-contracts/types/Terms.sol";

/// @title Proofs of capability
/// @notice A node proves that it has a tier's memory and speed by a job like any other: it claims, computes against a deadline, shows the result, and
/// anyone may challenge it before a jury while the window is open. When the job is complete the node has the tier, until it expires.
/// `docs/capability.md` has the benchmark.
/// @dev WHY IT HOLDS: the spec, and so the input of every step, contains a nonce from the block before; the node cannot have computed it earlier.
/// This contract is the requester: it signs nothing, so that no friend can accept a result before its window is over, and it never cancels.
/// The job is for one node, so that completion says who did it; a false result costs the bond.
/// MONEY: the job's price is one wei of DPU, from this contract's balance in the Market, which anyone may fill by `deposit`. What is
/// not paid returns there. Nothing else passes through here.
/// NOT SHOWN: that two nodes are two machines, or that a machine stays what it was: hence the expiry.
contract CapabilityProofs is ICapabilityProofs, Ownable2Step {
    /// @dev What waits for a job to be complete.
    struct Proof {
        uint32 node;
        uint8 tier;
        uint32 validFor;
    }

    uint32 private constant MAX_SECONDS = 1 hours;
    uint32 private constant MAX_WINDOW = 24 hours;
    uint32 private constant LEAST_VALID = 1 hours;
    uint32 private constant MOST_VALID = 90 days;
    uint256 private constant MAX_SPEC = 4_096;
    uint96 private constant PRICE = 1;

    IMarket public immutable MARKET;
    address public immutable TOKEN;

    mapping(uint8 tier => Benchmark) private _benchmarks;
    mapping(bytes32 job => Proof) private _proofs;
    uint64 private _begun;

    /// @param market Where the jobs are done; it has to name this contract as its prover.
    /// @param token DPU.
    /// @param owner_ The timelock.
    constructor(IMarket market, address token, address owner_) Ownable(owner_) {
        MARKET = market;
        TOKEN = token;
    }

    /* GOVERNANCE */

    /// @inheritdoc ICapabilityProofs
    function setBenchmark(uint8 tier, Benchmark calldata b) external onlyOwner {
        require(tier != 0, BenchmarkOutOfBounds("tier", 0, 1, type(uint8).max));
        if (b.exec != 0) {
            _within("claimFor", b.claimFor, 1, MAX_SECONDS);
            _within("exec", b.exec, 1, MAX_SECONDS);
            _within("window", b.window, 1, MAX_WINDOW);
            _within("validFor", b.validFor, LEAST_VALID, MOST_VALID);
            _within("bond", b.bond, 1, type(uint96).max);
            _within("spec", b.head.length + b.tail.length, 1, MAX_SPEC);
            _benchmarks[tier] = b;
        } else {
            delete _benchmarks[tier];
        }
        emit BenchmarkSet(tier, b.runtime, b.exec, b.validFor, keccak256(bytes.concat(b.head, b.tail)));
    }

    /* PROOFS */

    /// @inheritdoc ICapabilityProofs
    function begin(uint32 node, uint8 tier) external returns (bytes32 job) {
        Benchmark storage b = _benchmarks[tier];
        require(b.exec != 0, TierClosed(tier));
        Node memory n = MARKET.node(node);
        require(msg.sender == n.owner || msg.sender == n.operator, NotOfNode(node, msg.sender));

        uint64 number = ++_begun; // two proofs of one block differ, and so do their jobs
        bytes32 nonce =
            keccak256(abi.encode(Blockhash.blockHash(block.number - 1), block.chainid, address(this), number));
        bytes memory text = bytes(Strings.toHexString(uint256(nonce), 32));
        job = MARKET.post(_terms(b, node, number, sha256(bytes.concat(b.head, text, b.tail))));
        _proofs[job] = Proof(node, tier, b.validFor);
        emit ProofBegun(node, job, tier, nonce);
    }

    /// @inheritdoc ICapabilityProofs
    function finish(bytes32 job) external {
        Proof memory p = _proofs[job];
        require(p.node != 0, ProofUnknown(job));
        Job memory j = MARKET.job(job);
        require(j.state == JobState.Complete, NotProven(job, j.state));
        uint40 until = j.at + p.validFor;
        Node memory n = MARKET.node(p.node);
        bool counts = n.tierUntil >= block.timestamp;
        bool more = n.tier != p.tier ? n.tier > p.tier : n.tierUntil >= until;
        require(!counts || !more, TierHeld(p.node, n.tier, n.tierUntil));
        delete _proofs[job];
        MARKET.setTier(p.node, p.tier, until);
        emit ProofFinished(p.node, job, p.tier, until);
    }

    /* VIEWS */

    /// @inheritdoc ICapabilityProofs
    function benchmark(uint8 tier) external view returns (Benchmark memory) {
        return _benchmarks[tier];
    }

    /// @inheritdoc ICapabilityProofs
    function proof(bytes32 job) external view returns (uint32 node, uint8 tier, uint32 validFor) {
        Proof memory p = _proofs[job];
        return (p.node, p.tier, p.validFor);
    }

    /* INTERNAL */

    /// @dev One shard for one node, shown directly: what a commitment hides from others is no secret from a node that is alone. The salt is the
    /// proof's number.
    function _terms(Benchmark storage b, uint32 node, uint64 number, bytes32 spec)
        private
        view
        returns (Terms memory terms)
    {
        (Rules rules,,,,) = MARKET.config();
        terms.parties = (uint256(uint160(address(this))) << 96) | b.bond;
        terms.money = (uint256(uint160(TOKEN)) << 96) | PRICE;
        terms.shape = (uint256(PRICE) << 160) | (uint256(node) << 128) | (1 << 96) // shards
            | (1 << 32) // longest lease
            | (uint256(b.runtime) << 24) | (1 << 8) // seats
            | 1; // direct
        uint256 expiry = block.timestamp + b.claimFor;
        terms.times = (uint256(number) << 144) | (expiry << 64) | (uint256(b.exec) << 32) | b.window;
        terms.rules = rules;
        terms.spec = spec;
    }

    function _within(bytes32 field, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, BenchmarkOutOfBounds(field, value, least, most));
    }
}
